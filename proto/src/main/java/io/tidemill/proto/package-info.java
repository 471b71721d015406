/**
 * The contract between all parts of Tidemill: topics, ids, the split, and the reading and writing of records.
 *
 * <p>Bytes of unknown origin flow in through {@link io.tidemill.proto.RecordReader}, messages that hold what they must
 * flow out; what does not is told with a code and a reason and never thrown. Nothing here keeps state, so a restart
 * repeats nothing; {@link io.tidemill.proto.TopicTail} reads its topic again from the beginning.
 */
package io.tidemill.proto;
