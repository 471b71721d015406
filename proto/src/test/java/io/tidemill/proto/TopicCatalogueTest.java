package io.tidemill.proto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class TopicCatalogueTest {
    private final TopicCatalogue topics = new TopicCatalogue(TopicCatalogue.DEFAULT_PREFIX);

    @Test
    void topicsThatAreJoinedHaveEquallyManyPartitions() {
        assertThat(List.of(topics.completions(), topics.feedback(), topics.preferences()))
                .extracting(Topic::partitions)
                .containsOnly(4);
    }

    @Test
    void everyTopicCountsRetentionFromItsArrival() {
        assertThat(topics.all()).hasSize(12).allSatisfy(topic -> assertThat(topic.settings())
                .containsEntry("message.timestamp.type", "LogAppendTime"));
    }

    @Test
    void checkpointsAreKeptForEverAndErasuresAreCompacted() {
        assertThat(topics.checkpoints().settings())
                .containsEntry("retention.ms", "-1")
                .containsEntry("cleanup.policy", "delete");
        assertThat(topics.erasures().settings()).containsEntry("cleanup.policy", "compact");
    }

    @Test
    void rejectedHoldsTheLargestRecordWithItsFrame() {
        int rejected = Integer.parseInt(topics.rejected().settings().get("max.message.bytes"));
        int document = Integer.parseInt(topics.documents().settings().get("max.message.bytes"));
        assertThat(rejected - document).isEqualTo(256 * 1024);
    }

    @Test
    void tokenSequencesHaveATopicForEachTokenizer() {
        assertThat(topics.tokenSequences("0123456789abcdef").name())
                .isEqualTo("tidemill.token-sequences.0123456789abcdef");
    }

    @Test
    void aPrefixThatNoTopicCanHaveIsRefused() {
        assertThatThrownBy(() -> new TopicCatalogue("tide mill.")).hasMessageContaining("'tide mill.documents'");
    }
}
