package io.tidemill.trainer.service;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ByteRangeTest {
    @Test
    void rangesAreReadAsTheStandardWritesThem() {
        assertThat(ByteRange.parse("bytes=0-9", 100)).contains(new ByteRange(0, 9));
        assertThat(ByteRange.parse("bytes=90-", 100)).contains(new ByteRange(90, 99));
        assertThat(ByteRange.parse("bytes=90-500", 100)).contains(new ByteRange(90, 99));
        assertThat(ByteRange.parse("bytes=-10", 100)).contains(new ByteRange(90, 99));
        assertThat(ByteRange.parse("bytes=-500", 100)).contains(new ByteRange(0, 99));
    }

    @Test
    void whatIsNotOneRangeIsAnsweredWithTheWholeFile() {
        assertThat(ByteRange.parse(null, 100)).isEmpty();
        assertThat(ByteRange.parse("bytes=-", 100)).isEmpty();
        assertThat(ByteRange.parse("bytes=0-1,5-6", 100)).isEmpty();
        assertThat(ByteRange.parse("bytes=9-2", 100)).isEmpty();
        assertThat(ByteRange.parse("lines=1-2", 100)).isEmpty();
    }

    @Test
    void aRangeBehindTheEndCannotBeSatisfied() {
        assertThat(ByteRange.parse("bytes=100-", 100))
                .hasValueSatisfying(range -> assertThat(range.satisfiable(100)).isFalse());
        assertThat(ByteRange.parse("bytes=-0", 100))
                .hasValueSatisfying(range -> assertThat(range.satisfiable(100)).isFalse());
        assertThat(ByteRange.parse("bytes=99-", 100))
                .hasValueSatisfying(range -> assertThat(range.satisfiable(100)).isTrue());
    }
}
