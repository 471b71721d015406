package io.tidemill.trainer.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarkus.runtime.configuration.DurationConverter;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import io.tidemill.proto.VersionId;
import io.tidemill.trainer.checkpoint.KeyFiles;
import io.tidemill.trainer.checkpoint.ModelSigningKey;
import io.tidemill.trainer.checkpoint.SigningKey;
import io.tidemill.trainer.data.Mixture.FeedbackAge;
import io.tidemill.trainer.data.Mixture.SourceShare;
import io.tidemill.trainer.gate.GatePolicy;
import io.tidemill.trainer.round.AdapterSettings;
import io.tidemill.trainer.round.EncoderRoundSettings;
import io.tidemill.trainer.round.HostMemory;
import io.tidemill.trainer.round.MixtureSettings;
import io.tidemill.trainer.round.TrainerOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainerConfigTest {
    private static TrainerOptions options(Map<String, String> overrides) {
        return TrainerWiring.options(config(overrides));
    }

    private static TrainerConfig config(Map<String, String> overrides) {
        return whole(overrides).getConfigMapping(TrainerConfig.class);
    }

    private static SmallRyeConfig whole(Map<String, String> overrides) {
        return new SmallRyeConfigBuilder()
                .withMapping(TrainerConfig.class)
                .withSources(new PropertiesConfigSource(overrides, "test", 100))
                .addDefaultInterceptors()
                .withConverter(Duration.class, 200, new DurationConverter())
                .build();
    }

    @Test
    void theDefaultsWork() {
        TrainerOptions options = options(Map.of());
        assertThat(options.model()).isEqualTo("tidemill");
        assertThat(options.topicPrefix()).isEqualTo("tidemill.");
        assertThat(options.round().preference().objective()).isEqualTo("dpo");
        assertThat(options.round().preference().parameters())
                .isEqualTo(Map.of("beta", "0.3", "supervised-weight", "1"));
        assertThat(options.round().rating().objective()).isEqualTo("kto");
        assertThat(options.round().rating().parameters()).isEqualTo(Map.of("beta", "0.3", "desirable-weight", "1.33"));
        assertThat(options.round().threads()).isPositive();
        assertThat(options.filesUrl().apply(new VersionId("tidemill", 3)))
                .isEqualTo("http://127.0.0.1:8083/v1/checkpoints/tidemill-000003/files/");
    }

    @Test
    void sharedKeysReachTheTrainer() {
        TrainerOptions options = options(Map.of(
                "tidemill.model", "mine",
                "tidemill.topic-prefix", "other.",
                "tidemill.data", "somewhere",
                "trainer.public-url", "http://example.org/",
                "trainer.preference.learning-rate", "0.001"));
        assertThat(options.model()).isEqualTo("mine");
        assertThat(options.topicPrefix()).isEqualTo("other.");
        assertThat(options.data()).hasToString("somewhere");
        assertThat(options.round().preference().optimizer().learningRate()).isEqualTo(0.001);
        assertThat(options.filesUrl().apply(new VersionId("mine", 1)))
                .isEqualTo("http://example.org/v1/checkpoints/mine-000001/files/");
    }

    @Test
    void anotherObjectiveHasItsOwnParametersAndAWrongOneIsRefusedByName() {
        TrainerOptions options = options(Map.of(
                "trainer.preference.objective", "simpo",
                "trainer.preference.parameters.beta", "2",
                "trainer.rating.objective", "none"));
        assertThat(options.round().preference().parameters()).isEqualTo(Map.of("beta", "2"));
        assertThat(options.round().rating().learns()).isFalse();

        assertThatThrownBy(() -> options(Map.of("trainer.preference.objective", "dop")))
                .hasMessageContaining("dop")
                .hasMessageContaining("dpo");
        assertThatThrownBy(() -> options(Map.of("trainer.preference.parameters.beat", "2")))
                .hasMessageContaining("beat")
                .hasMessageContaining("beta");
    }

    @Test
    void anAdapterAndALimitOfMemoryAreSettings() {
        assertThat(options(Map.of()).round().adapter()).isEqualTo(new AdapterSettings(0, 16, false, List.of()));
        TrainerOptions options = options(Map.of(
                "trainer.adapter.rank", "8",
                "trainer.adapter.alpha", "32",
                "trainer.adapter.rank-stabilized", "true",
                "trainer.adapter.target-modules", "q_proj,v_proj",
                "trainer.memory-megabytes", "3"));
        assertThat(options.round().adapter()).isEqualTo(new AdapterSettings(8, 32, true, List.of("q_proj", "v_proj")));
        assertThat(options.memory().available())
                .contains(new HostMemory.Available(3 << 20, "trainer.memory-megabytes"));
    }

    @Test
    void howAnEncoderLearnsIsASettingToo() {
        EncoderRoundSettings usual = options(Map.of()).round().encoder();
        assertThat(usual.classification().labels()).isEmpty();
        assertThat(usual.classification().training().epochs()).isEqualTo(3);
        assertThat(usual.maskedLanguage().probability()).isEqualTo(0.15);
        EncoderRoundSettings settings = options(Map.of(
                        "trainer.masked-lm.whole-words", "true",
                        "trainer.masked-lm.length", "64",
                        "trainer.classification.labels", "ham,spam",
                        "trainer.classification.class-weights", "1,3",
                        "trainer.classification.problem-type", "multi_label_classification",
                        "trainer.classification.learning-rate", "1e-4"))
                .round()
                .encoder();
        assertThat(settings.maskedLanguage().wholeWords()).isTrue();
        assertThat(settings.maskedLanguage().length()).isEqualTo(64);
        assertThat(settings.classification().labels()).containsExactly("ham", "spam");
        assertThat(settings.classification().weights()).containsExactly("1", "3");
        assertThat(settings.classification().training().optimizer().learningRate())
                .isEqualTo(1e-4);

        assertThatThrownBy(() -> options(Map.of("trainer.classification.labels", "ham,ham")))
                .hasMessageContaining("names one twice: [ham, ham]");
        assertThatThrownBy(() -> options(Map.of(
                        "trainer.classification.labels", "a,b", "trainer.classification.problem-type", "several")))
                .hasMessageContaining("must be one of [single_label_classification,")
                .hasMessageContaining("but was several");
        assertThatThrownBy(() -> options(Map.of("trainer.classification.problem-type", "regression")))
                .hasMessageContaining("Set trainer.classification.labels too");
    }

    @Test
    void whatTakesPartIsASettingAndLeftAloneItIsEverything() {
        assertThat(options(Map.of()).round().mixture()).isEqualTo(MixtureSettings.NONE);
        MixtureSettings mixture = options(Map.of(
                        "trainer.stages", "sft,preference",
                        "trainer.sources.news.weight", "0.5",
                        "trainer.sources.\"a forum\".share", "0.1",
                        "trainer.feedback.maximum-age", "12",
                        "trainer.feedback.decay", "0.9",
                        "trainer.replay.share", "0.1",
                        "trainer.anchor.l2", "0.01"))
                .round()
                .mixture();
        assertThat(mixture.stages()).containsExactly("sft", "preference");
        assertThat(mixture.sources())
                .isEqualTo(Map.of("news", new SourceShare(0.5, 1), "a forum", new SourceShare(1, 0.1)));
        assertThat(mixture.feedback()).isEqualTo(new FeedbackAge(12, 0.9));
        assertThat(mixture.replay()).isEqualTo(new MixtureSettings.Replay(0.1, 4));
        assertThat(mixture.anchor()).isEqualTo(new MixtureSettings.Anchor(0.01, 0));

        assertThatThrownBy(() -> options(Map.of("trainer.stages", "sft,dpo")))
                .hasMessageContaining("trainer.stages must name some of [pretrain, sft,")
                .hasMessageContaining("but one is 'dpo'");
        assertThatThrownBy(() -> options(Map.of("trainer.replay.share", "1")))
                .hasMessageContaining("trainer.replay.share must be 0 or more and below 1, but was 1.0");
        assertThatThrownBy(() -> options(Map.of("trainer.feedback.decay", "0")))
                .hasMessageContaining("decay of feedback must be above 0");
    }

    @Test
    void ofSeveralModelsEachHasItsOwnSettingsBeforeTheCommonOnes() {
        Map<String, String> settings = Map.of(
                "trainer.models", "small,large",
                "trainer.pretrain.learning-rate", "0.001",
                "trainer.round.maximum-wait", "3m",
                "trainers.large.adapter.rank", "8",
                "trainers.large.base-model", "a-large-one",
                "trainers.large.pretrain.learning-rate", "0.01",
                "trainers.large.sources.news.weight", "0");
        List<TrainerOptions> options = ModelSettings.of(config(settings), whole(settings)).stream()
                .map(TrainerWiring::options)
                .toList();
        assertThat(options).extracting(TrainerOptions::model).containsExactly("small", "large");
        assertThat(options)
                .extracting(one -> one.round().pretrain().optimizer().learningRate())
                .containsExactly(0.001, 0.01);
        assertThat(options).extracting(one -> one.round().adapter().rank()).containsExactly(0, 8);
        assertThat(options).extracting(one -> one.trigger().maximumWait()).containsOnly(Duration.ofMinutes(3));
        assertThat(options.get(0).baseModel()).isEmpty();
        assertThat(options.get(1).baseModel()).contains(Path.of("a-large-one"));
        assertThat(options.get(0).round().mixture().sources()).isEmpty();
        assertThat(options.get(1).round().mixture().sources()).containsKey("news");

        assertThat(ModelSettings.of(config(Map.of()), whole(Map.of())))
                .singleElement()
                .satisfies(one -> assertThat(one.model()).isEqualTo("tidemill"));
        Map<String, String> twice = Map.of("trainer.models", "a,b,a");
        assertThatThrownBy(() -> ModelSettings.of(config(twice), whole(twice)))
                .hasMessageContaining("must name each model once, but was [a, b, a]");
        Map<String, String> misspelt = Map.of("trainer.models", "a", "trainers.a.adapter.rnak", "8");
        assertThatThrownBy(() -> ModelSettings.of(config(misspelt), whole(misspelt)))
                .hasMessageContaining("rnak");
    }

    @Test
    void aSigningKeyIsReadAtTheStartAndOneThatCannotBeUsedIsRefused(@TempDir Path directory) {
        assertThat(options(Map.of()).signers()).isEmpty();
        assertThat(options(Map.of()).deltas()).isFalse();
        assertThat(options(Map.of("trainer.store.deltas", "true")).deltas()).isTrue();
        KeyFiles keys = KeyFiles.write(directory.resolve("key"));
        assertThat(options(Map.of("trainer.store.signing-key", keys.secret().toString()))
                        .signers())
                .hasExactlyElementsOfTypes(SigningKey.class);
        assertThatThrownBy(() ->
                        options(Map.of("trainer.store.signing-key", keys.shown().toString())))
                .hasMessageContaining("trainer.store.signing-key names " + keys.shown())
                .hasMessageContaining("openssl genpkey -algorithm ed25519");
        KeyFiles curve = KeyFiles.onCurve("P-256");
        assertThat(options(Map.of(
                                "trainer.store.model-signing-key",
                                        curve.secret().toString(),
                                "trainer.store.signing-key", keys.secret().toString()))
                        .signers())
                .as("the second covers what the first wrote")
                .hasExactlyElementsOfTypes(SigningKey.class, ModelSigningKey.class);
        assertThatThrownBy(() -> options(
                        Map.of("trainer.store.model-signing-key", keys.secret().toString())))
                .hasMessageContaining("trainer.store.model-signing-key names " + keys.secret())
                .hasMessageContaining("openssl genpkey -algorithm EC");
    }

    @Test
    void aValueOutOfRangeIsNamed() {
        assertThatThrownBy(() -> options(Map.of("trainer.adapter.rank", "-1")))
                .hasMessageContaining("trainer.adapter.rank must not be negative");
        assertThatThrownBy(() -> options(Map.of("trainer.pretrain.warmup-share", "1.5")))
                .hasMessageContaining("warmup-share must lie between 0 and 1, but was 1.5");
        assertThatThrownBy(() -> options(Map.of("trainer.gate.resamples", "99")))
                .hasMessageContaining("trainer.gate.resamples must be at least 100")
                .hasMessageContaining("but was 99. Leave it out for the default, 2000.");
        assertThat(options(Map.of()).round().gate().window()).isZero();
        assertThat(options(Map.of("trainer.gate.window", "64")).round().gate().window())
                .isEqualTo(64);
        assertThatThrownBy(() -> options(Map.of("trainer.gate.window", "-1")))
                .hasMessageContaining("trainer.gate.window must not be negative, but was -1");
        assertThatThrownBy(() -> options(Map.of("trainer.gate.preference-gap-margin", "-1")))
                .hasMessageContaining(
                        "trainer.gate.preference-gap-margin must be finite and not negative, but was -1.0");
        assertThatThrownBy(() -> options(Map.of("trainer.gate.alpha", "5")))
                .hasMessageContaining("trainer.gate.alpha must lie between 0 and 1, but was 5.0");
    }

    @Test
    void whatTheOperatorAsksReachesTheGate(@TempDir Path directory) throws Exception {
        Path probes = Files.writeString(
                directory.resolve("probes.jsonl"), "{\"prompt\": \"a\", \"check\": {\"contains\": \"b\"}}\n");
        GatePolicy policy = options(Map.of(
                        "trainer.gate.probes", probes.toString(),
                        "trainer.gate.minimum-probes", "1",
                        "trainer.gate.required", "preference-accuracy,probes",
                        "trainer.gate.superior", "held-out-loss",
                        "trainer.gate.drift-sample", "0",
                        "trainer.gate.require-operator-suite", "true"))
                .round()
                .gate()
                .policy();
        assertThat(policy.probes()).containsExactly(probes.toString());
        assertThat(policy.required()).containsExactly("preference-accuracy", "probes");
        assertThat(policy.superior()).containsExactly("held-out-loss");
        assertThat(policy.drift().sample()).isZero();
        assertThat(options(Map.of()).round().gate().policy().drift().sample()).isEqualTo(32);
    }

    @Test
    void aStartWithoutTheOperatorsSuiteOrWithAMistakeInItIsRefusedWithASentence(@TempDir Path directory)
            throws Exception {
        assertThatThrownBy(() -> options(Map.of("trainer.gate.require-operator-suite", "true")))
                .hasMessageContaining(
                        "trainer.gate.require-operator-suite is true, but the operator has given no suite");
        Path probes = Files.writeString(directory.resolve("probes.jsonl"), "\n{\"prompt\": \"a\"}\n");
        assertThatThrownBy(() -> options(Map.of("trainer.gate.probes", probes.toString())))
                .hasMessageContaining("trainer.gate.probes: " + probes + ":2: needs either a \"check\"");
    }
}
