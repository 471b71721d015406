package io.tidemill.deploy.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.proto.Topic;
import io.tidemill.proto.TopicCatalogue;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class TopicsFileTest {
    private static final Path FILE = Manifests.BASE.resolve("topics.yaml");
    private final TopicCatalogue catalogue = new TopicCatalogue(TopicCatalogue.DEFAULT_PREFIX);

    @Test
    void theFileOfTopicsIsWhatTheCatalogueSays() throws IOException {
        String expected = new StrimziTopics("tidemill", 3, 2).yaml(catalogue);
        if (Boolean.getBoolean("topics.write")) {
            Files.writeString(FILE, expected);
        }
        assertThat(Files.readString(FILE))
                .as("base/topics.yaml has drifted from the catalogue; its first lines tell how to make it again")
                .isEqualTo(expected);
    }

    /** Reads the file on its own, so that a mistake of the generator shows as well. */
    @Test
    void everyTopicOfTheCatalogueIsThereWithItsPartitionsAndSettings() {
        Map<String, Resource> byTopic = Manifests.base("KafkaTopic").stream()
                .collect(
                        Collectors.toMap(topic -> topic.spec().path("topicName").asText(), Function.identity()));

        assertThat(byTopic.keySet())
                .containsExactlyInAnyOrderElementsOf(
                        catalogue.all().stream().map(Topic::name).toList());
        for (Topic topic : catalogue.all()) {
            Resource resource = byTopic.get(topic.name());
            assertThat(resource.spec().path("partitions").asInt())
                    .as(topic.name())
                    .isEqualTo(topic.partitions());
            topic.settings().forEach((key, value) -> assertThat(
                            resource.spec().path("config").path(key).asText())
                    .as(topic.name() + " " + key)
                    .isEqualTo(value));
        }
    }

    @Test
    void aClusterThatCouldNotLoseANodeIsRefused() {
        assertThatThrownBy(() -> new StrimziTopics("tidemill", 3, 3))
                .hasMessageContaining("3 copies")
                .hasMessageContaining("no node can be away");
    }

    @Test
    void aTopicWhoseNameKubernetesCannotTakeIsRefusedByName() {
        assertThatThrownBy(() -> new StrimziTopics("tidemill", 3, 2).yaml(new TopicCatalogue("-")))
                .hasMessageContaining("topic -documents");
    }
}
