/**
 * Everything in one process, and the command line.
 *
 * <p>In flow options, out comes a running mill: a broker on disk (or the address of another), the four services on one
 * port, and for {@code demo} real text and real choices to grind. A restart on the same data directory goes on where the
 * process ended, however it ended; nothing here keeps state of its own but the directory's format version and lock.
 */
package io.tidemill.standalone;
