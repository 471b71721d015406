package io.tidemill.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class LoraConfigTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static LoraConfig parse(String fields) throws IOException {
        return LoraConfigFile.parse(JSON.readTree("{\"peft_type\": \"LORA\", " + fields + "}"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"peft_type\": \"IA3\" | peft_type is \"IA3\"",
                "\"task_type\": \"TOKEN_CLS\" | task_type is \"TOKEN_CLS\"",
                "\"bias\": \"lora_only\" | bias is \"lora_only\"",
                "\"use_dora\": true | use_dora is true",
                "\"lora_bias\": true | lora_bias is true",
                "\"use_qalora\": true | use_qalora is true",
                "\"modules_to_save\": [\"lm_head\"] | modules_to_save is [\"lm_head\"]",
                "\"layers_to_transform\": [0] | layers_to_transform is [0]",
                "\"layers_to_transform\": 0 | layers_to_transform is 0",
                "\"layers_pattern\": \"h\" | layers_pattern is \"h\"",
                "\"layer_replication\": [[0, 1], [0, 2]] | layer_replication is [[0,1],[0,2]]",
                "\"trainable_token_indices\": [3] | trainable_token_indices is [3]",
                "\"target_parameters\": [\"experts\"] | target_parameters is [\"experts\"]",
                "\"init_lora_weights\": \"pissa\" | init_lora_weights is \"pissa\"",
                "\"loftq_config\": {\"loftq_bits\": 4} | loftq_config is {\"loftq_bits\":4}",
                "\"alora_invocation_tokens\": [1, 2] | alora_invocation_tokens is [1,2]",
                "\"something_of_next_year\": \"on\" | something_of_next_year is \"on\"",
                "\"target_modules\": null | target_modules is null",
                "\"target_modules\": [] | target_modules is []",
                "\"target_modules\": \".*_proj\" | target_modules is \".*_proj\"",
                "\"target_modules\": [1] | target_modules is [1]",
                "\"exclude_modules\": \".*q.*\" | exclude_modules is \".*q.*\"",
                "\"rank_pattern\": {\"q_proj\": 1.5} | rank_pattern is {\"q_proj\":1.5}",
                "\"rank_pattern\": {\"q_proj\": 0} | rank_pattern of q_proj must be at least 1, but was 0",
                "\"rank_pattern\": {\"q(\": 2} | rank_pattern has q(",
                "\"alpha_pattern\": [4] | alpha_pattern is [4]",
                "\"r\": 0 | r must be at least 1, but was 0",
                "\"r\": \"8\" | r must be a whole number, but was \"8\"",
                "\"lora_alpha\": -1 | lora_alpha must be positive and finite, but was -1.0",
                "\"lora_dropout\": 1.5 | lora_dropout must be in [0, 1], but was 1.5",
            })
    void whatWeDoNotHaveIsRefusedByFieldAndValue(String field, String message) {
        String rest = field.contains("target_modules") ? field : field + ", \"target_modules\": [\"q_proj\"]";
        assertThatThrownBy(() -> parse(rest))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }

    @Test
    void whatIsAbsentMeansWhatItMeansToPeft() throws IOException {
        LoraConfig config = parse("\"target_modules\": [\"q_proj\", \"v_proj\"], \"merge_weights\": false");
        assertThat(config).isEqualTo(LoraConfig.of(8, 8).on(List.of("q_proj", "v_proj")));
        assertThat(parse("\"target_modules\": \"All-Linear\", \"lora_dropout\": 0.05, \"revision\": \"main\""))
                .extracting(LoraConfig::targets, LoraConfig::dropout, LoraConfig::revision)
                .containsExactly(List.of(), 0.05, Optional.of("main"));
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    void allLinearLayersAreThoseOfTheBlocksAndNotTheHead(Family family) {
        ModelConfig config = Fixtures.tiny(family, 64);
        List<String> names = LoraConfig.of(4, 8).modules(config).stream()
                .map(module -> module.linear().name())
                .toList();
        assertThat(names).hasSize(family == Family.GPT2 ? 8 : 14).noneMatch(name -> name.contains("head"));
        Layout layout = new Layout(config);
        for (String name : names) {
            assertThat(layout.has(name + ".weight")).as(name).isTrue();
        }
    }

    /** r / α of single layers as PEFT's get_pattern_key finds them: whole path or its end, the first match. */
    @Test
    void aPatternGivesSingleLayersTheirOwnRankAndAlpha() {
        Map<String, Integer> ranks = new LinkedHashMap<>();
        ranks.put("^model.layers.1.self_attn.(q|k)_proj", 16);
        ranks.put("q_proj", 2);
        ranks.put("roj", 64); // not behind a dot: nothing
        LoraConfig config = new LoraConfig(
                4,
                8,
                true,
                List.of("q_proj", "k_proj", "layers.0.mlp.up_proj"),
                List.of("layers.0.self_attn.k_proj"),
                ranks,
                Map.of("k_proj", 12.0),
                0,
                Optional.empty(),
                Optional.empty());
        assertThat(config.modules(Fixtures.TINY))
                .filteredOn(module -> module.rank() > 0)
                .extracting(module -> module.linear().name(), LoraModule::rank, LoraModule::scale)
                .containsExactly(
                        tuple("model.layers.0.self_attn.q_proj", 2, 8 / Math.sqrt(2)),
                        tuple("model.layers.0.mlp.up_proj", 4, 4.0),
                        tuple("model.layers.1.self_attn.q_proj", 16, 2.0),
                        tuple("model.layers.1.self_attn.k_proj", 16, 3.0));
    }

    @Test
    void aTargetThatNoAdapterCanBePutOnIsRefusedWithThoseThatCan() {
        for (String target : List.of("lm_head", "embed_tokens", "q_porj", "self_attn", "proj")) {
            assertThatThrownBy(() ->
                            LoraConfig.of(4, 8).on(List.of("q_proj", target)).modules(Fixtures.TINY))
                    .hasMessageContaining("names " + target)
                    .hasMessageContaining("down_proj, gate_proj, k_proj, o_proj, q_proj, up_proj, v_proj");
        }
        LoraConfig nothing = new LoraConfig(
                4,
                8,
                false,
                List.of("q_proj"),
                List.of("q_proj"),
                Map.of(),
                Map.of(),
                0,
                Optional.empty(),
                Optional.empty());
        assertThatThrownBy(() -> nothing.modules(Fixtures.TINY))
                .hasMessageContaining("[q_proj] leaves no linear layer");
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    void aWrittenConfigurationReadsAsTheSame(Family family, @TempDir Path directory) throws IOException {
        ModelConfig base = Fixtures.tiny(family, 64);
        String one = family == Family.GPT2 ? "c_attn" : "q_proj";
        LoraConfig config = new LoraConfig(
                4,
                7.5,
                true,
                List.of(),
                List.of(one),
                Map.of("layers.1.mlp.down_proj", 3),
                Map.of("o_proj", 2.0),
                0.1,
                Optional.of("someone/model"),
                Optional.of("abc"));
        Path file = Files.writeString(directory.resolve("adapter_config.json"), config.toJson(base));
        LoraConfig read = LoraConfig.read(file);
        assertThat(read.modules(base)).isEqualTo(config.modules(base));
        assertThat(read.on(List.of())).isEqualTo(config);
    }
}
