/**
 * How a reader of the {@code checkpoints} topic gets a version's files.
 *
 * <p>A {@code CheckpointEvent} flows in, a directory whose every file has the announced length and SHA-256 flows out.
 * A restart repeats the download of a version that was not complete; a complete one is verified and used as it is.
 */
package io.tidemill.proto.checkpoint;
