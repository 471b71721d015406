package io.tidemill.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelConfigTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** What the files of known models say about their shape, and how many parameters transformers counts. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "SmolLM2-135M | 134515008 | {'model_type':'llama','architectures':['LlamaForCausalLM'],'vocab_size':49152,"
                        + "'hidden_size':576,'intermediate_size':1536,'num_hidden_layers':30,'num_attention_heads':9,"
                        + "'num_key_value_heads':3,'tie_word_embeddings':true,'rope_interleaved':false,"
                        + "'rope_scaling':null,'rope_theta':100000,'max_position_embeddings':8192}",
                "Llama-3.2-1B | 1235814400 | {'model_type':'llama','vocab_size':128256,'hidden_size':2048,"
                        + "'intermediate_size':8192,'num_hidden_layers':16,'num_attention_heads':32,"
                        + "'num_key_value_heads':8,'head_dim':64,'tie_word_embeddings':true,'rope_theta':500000.0,"
                        + "'rope_scaling':{'factor':32.0,'high_freq_factor':4.0,'low_freq_factor':1.0,"
                        + "'original_max_position_embeddings':8192,'rope_type':'llama3'},"
                        + "'eos_token_id':[128001,128008],'bos_token_id':128000,'max_position_embeddings':131072}",
                "Mistral-7B-v0.1 | 7241732096 | {'model_type':'mistral','vocab_size':32000,'hidden_size':4096,"
                        + "'intermediate_size':14336,'num_hidden_layers':32,'num_attention_heads':32,"
                        + "'num_key_value_heads':8,'sliding_window':4096}",
                "Qwen2.5-0.5B | 494032768 | {'model_type':'qwen2','vocab_size':151936,'hidden_size':896,"
                        + "'intermediate_size':4864,'num_hidden_layers':24,'num_attention_heads':14,"
                        + "'num_key_value_heads':2,'tie_word_embeddings':true,'rope_theta':1000000.0,"
                        + "'use_mrope':false,'use_sliding_window':false,'sliding_window':32768,'max_window_layers':24}",
                "Qwen3-0.6B | 596049920 | {'model_type':'qwen3','vocab_size':151936,'hidden_size':1024,"
                        + "'intermediate_size':3072,'num_hidden_layers':28,'num_attention_heads':16,"
                        + "'num_key_value_heads':8,'head_dim':128,'tie_word_embeddings':true,'sliding_window':null,"
                        + "'attention_bias':false,'rope_theta':1000000,'use_sliding_window':false}",
                "gpt2 | 124439808 | {'model_type':'gpt2','architectures':['GPT2LMHeadModel'],'vocab_size':50257,"
                        + "'n_ctx':1024,'n_embd':768,'n_head':12,'n_layer':12,'n_positions':1024,"
                        + "'activation_function':'gelu_new','attn_pdrop':0.1,'bos_token_id':50256,'eos_token_id':50256}"
            })
    void theShapesThatPeopleUseAreRead(String name, long parameters, String json) {
        ModelConfig config = parse(json);
        assertThat(config.parameterCount()).as(name).isEqualTo(parameters);
        assertThat(parse(config.toJson())).isEqualTo(config);
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    void everyFamilySurvivesItsOwnJson(Family family) {
        ModelConfig config = Fixtures.tiny(family, 64);
        assertThat(parse(config.toJson())).isEqualTo(config);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'rope_type':'linear','factor':4.0}",
                "{'type':'linear','factor':4.0}",
                "{'rope_type':'dynamic','factor':2.0}",
                "{'rope_type':'llama3','factor':8.0,'low_freq_factor':1.0,'high_freq_factor':4.0,"
                        + "'original_max_position_embeddings':32}",
                "{'type':'yarn','factor':4.0}",
                "{'rope_type':'yarn','factor':4.0,'original_max_position_embeddings':16,'mscale':1.0,"
                        + "'mscale_all_dim':0.5,'beta_fast':16,'truncate':false}",
                "{'rope_type':'default'}"
            })
    void bothSpellingsOfTheRotaryScalingMeanTheSameAndAreWritten(String scaling) {
        ObjectNode old = withoutRope();
        old.put("rope_theta", 5000.0);
        old.set("rope_scaling", json(scaling));
        ObjectNode now = withoutRope();
        now.set("rope_parameters", ((ObjectNode) json(scaling)).put("rope_theta", 5000.0));
        ModelConfig config = ConfigFile.parse(old);
        assertThat(config).isEqualTo(ConfigFile.parse(now));
        assertThat(config.ropeTheta()).isEqualTo(5000.0);

        ObjectNode written = (ObjectNode) json(config.toJson());
        assertThat(ConfigFile.parse(written.deepCopy().without("rope_parameters")))
                .isEqualTo(config);
        written.remove("rope_scaling");
        written.remove("rope_theta");
        assertThat(ConfigFile.parse(written)).isEqualTo(config);
    }

    private static ObjectNode withoutRope() {
        ObjectNode json = (ObjectNode) json(Fixtures.TINY.toJson());
        json.remove("rope_parameters");
        json.remove("rope_theta");
        return json;
    }

    @Test
    void anAbsentFieldMeansWhatItMeansToTransformers() {
        String shape = "'vocab_size':100,'hidden_size':64,'intermediate_size':8,'num_hidden_layers':30,"
                + "'num_attention_heads':32";
        ModelConfig mistral = parse("{'model_type':'mistral'," + shape + "}");
        assertThat(mistral.slidingWindow()).isEqualTo(4096);
        assertThat(mistral.keyValueHeads()).isEqualTo(8);
        assertThat(mistral.headSize()).isEqualTo(2);
        assertThat(mistral.maxPositions()).isEqualTo(131_072);
        assertThat(mistral.eosTokenIds()).containsExactly(2);
        assertThat(parse("{'model_type':'mistral','sliding_window':null,'num_key_value_heads':null," + shape + "}"))
                .extracting(ModelConfig::slidingWindow, ModelConfig::keyValueHeads)
                .containsExactly(0, 32);

        ModelConfig qwen = parse("{'model_type':'qwen3','use_sliding_window':true," + shape + "}");
        assertThat(qwen.headSize()).isEqualTo(128);
        assertThat(qwen.slidingWindow()).isEqualTo(4096);
        assertThat(qwen.fullAttentionLayers()).isEqualTo(28);
        assertThat(qwen.bosTokenId()).isEqualTo(-1);
        assertThat(qwen.eosTokenIds()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "LLAMA | sliding_window | 4096 | sliding_window is 4096",
                "LLAMA | rope_scaling | {'rope_type':'longrope','factor':2.0} | rope_type is 'longrope'",
                "LLAMA | rope_scaling | {'type':'mrope','mrope_section':[2,1,1]} | mrope_section is [2,1,1]",
                "LLAMA | rope_parameters | {'rope_type':'default','partial_rotary_factor':0.5} | partial_rotary_factor is 0.5",
                "LLAMA | rope_parameters | {'rope_type':'linear','factor':0.5} | factor of rope_parameters must be 1 or more, but was 0.5",
                "LLAMA | rope_scaling | {'rope_type':'llama3','factor':8} | low_freq_factor must be a number, but was absent",
                "MISTRAL | layer_types | ['full_attention','sliding_attention'] | layer_types is ['full_attention'",
                "MISTRAL | attention_bias | true | attention_bias is true",
                "MISTRAL | sliding_window | 0 | sliding_window is 0",
                "QWEN2 | layer_types | ['sliding_attention','full_attention'] | layer_types is ['sliding_attention'",
                "QWEN2 | layer_types | ['full_attention'] | layer_types is ['full_attention']",
                "QWEN3 | mlp_bias | true | mlp_bias is true",
                "QWEN3 | hidden_act | 'gelu' | hidden_act is 'gelu'",
                "GPT2 | activation_function | 'relu' | activation_function is 'relu'",
                "GPT2 | scale_attn_by_inverse_layer_idx | true | scale_attn_by_inverse_layer_idx is true",
                "GPT2 | add_cross_attention | true | add_cross_attention is true",
                "GPT2 | n_embd | 33 | n_embd is 33"
            },
            quoteCharacter = '~')
    void whatAFamilyDoesNotHaveIsRefusedByFieldAndValue(Family family, String field, String value, String complaint) {
        ObjectNode json = (ObjectNode) json(Fixtures.tiny(family, 64).toJson());
        json.set(field, json(value));
        assertThatThrownBy(() -> ConfigFile.parse(json))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(complaint.replace('\'', '"'));
    }

    private static ModelConfig parse(String json) {
        return ConfigFile.parse(json(json));
    }

    private static JsonNode json(String text) {
        try {
            return JSON.readTree(text.replace('\'', '"'));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }
}
