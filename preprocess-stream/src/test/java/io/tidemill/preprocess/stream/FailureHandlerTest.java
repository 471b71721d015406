package io.tidemill.preprocess.stream;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.errors.ProcessorStateException;
import org.apache.kafka.streams.kstream.Named;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;

class FailureHandlerTest {
    private final List<String> failed = new ArrayList<>();

    @Test
    void aRecordThatNobodyForesawIsCountedAndTheNextOneGoesOn() {
        try (TopologyTestDriver driver = driver(new IllegalStateException("unforeseen"))) {
            TestInputTopic<String, String> input =
                    driver.createInputTopic("in", new StringSerializer(), new StringSerializer());
            input.pipeInput("bad");
            input.pipeInput("good");

            assertThat(driver.createOutputTopic("out", new StringDeserializer(), new StringDeserializer())
                            .readValuesToList())
                    .containsExactly("good");
            assertThat(failed).containsExactly("operate");
        }
    }

    @Test
    void whatAStoreCannotDoStopsTheApplicationInsteadOfLosingTheRecord() {
        try (TopologyTestDriver driver = driver(new ProcessorStateException("disk full"))) {
            TestInputTopic<String, String> input =
                    driver.createInputTopic("in", new StringSerializer(), new StringSerializer());

            Assertions.assertThatThrownBy(() -> input.pipeInput("bad")).hasStackTraceContaining("disk full");
            assertThat(failed).isEmpty();
        }
    }

    private TopologyTestDriver driver(RuntimeException failure) {
        StreamsBuilder builder = new StreamsBuilder();
        builder.<String, String>stream("in")
                .mapValues(
                        value -> {
                            if (value.equals("bad")) {
                                throw failure;
                            }
                            return value;
                        },
                        Named.as("operate"))
                .to("out");
        Failures failures = failed::add;
        Properties properties = new Properties();
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "test");
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
        properties.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        properties.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        properties.put(StreamsConfig.PROCESSING_EXCEPTION_HANDLER_CLASS_CONFIG, FailureHandler.class);
        properties.put(Failures.KEY, failures);
        return new TopologyTestDriver(builder.build(), properties);
    }
}
