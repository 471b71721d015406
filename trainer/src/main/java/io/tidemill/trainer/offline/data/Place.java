package io.tidemill.trainer.offline.data;

/**
 * Where an example stands.
 *
 * @param source file as the recipe names it, or topic and partition
 * @param at     line, counted from 1; offset of a record
 * @param line   whether it is a line
 */
public record Place(String source, long at, boolean line) {
    static Place line(String file, long line) {
        return new Place(file, line, true);
    }

    static Place offset(String topicPartition, long offset) {
        return new Place(topicPartition, offset, false);
    }

    @Override
    public String toString() {
        return source + (line ? ":" : "@") + at;
    }
}
