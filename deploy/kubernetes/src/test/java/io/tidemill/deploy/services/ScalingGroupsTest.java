package io.tidemill.deploy.services;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.deploy.kubernetes.Environments;
import io.tidemill.model.base.BaseModel;
import io.tidemill.preprocess.route.RouteTopology;
import io.tidemill.preprocess.tokenize.ModelTokenization;
import io.tidemill.preprocess.tokenize.Tokenization;
import io.tidemill.preprocess.tokenize.TokenizeTopology;
import io.tidemill.proto.TopicCatalogue;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The autoscaler asks about the consumer groups that preprocess-stream is in; about another it would hear nothing. */
class ScalingGroupsTest {
    private final TopicCatalogue catalogue =
            new TopicCatalogue(Environments.shared().get("TIDEMILL_TOPIC_PREFIX"));

    @TempDir
    Path folder;

    @Test
    void theRoutingApplication() {
        assertThat(Environments.scalingGroup("route"))
                .isEqualTo(new RouteTopology(catalogue, null, null, null).applicationId());
    }

    @Test
    void theTokenizingApplicationOfTheEmbeddedBaseModel() throws Exception {
        Path base = folder.resolve("base");
        BaseModel.extractRecipeTo(base);
        try (Tokenization tokenization = ModelTokenization.load(base)) {
            assertThat(Environments.scalingGroup("tokenize"))
                    .as("base/scaling.yaml names the group of the embedded base model's tokenizer")
                    .isEqualTo(new TokenizeTopology(catalogue, tokenization, null, null, null).applicationId());
        }
    }
}
