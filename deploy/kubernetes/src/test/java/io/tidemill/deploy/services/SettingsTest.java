package io.tidemill.deploy.services;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.deploy.compose.Compose;
import io.tidemill.deploy.kubernetes.Environments;
import io.tidemill.feedback.access.Binding;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** The files set what the services read, and the services would run with what the files say. */
class SettingsTest {
    static final List<String> SERVICES = Compose.SERVICES;

    /** Read by the Java virtual machine, not by our code. */
    private static final Set<String> OF_JAVA = Set.of("JAVA_TOOL_OPTIONS");

    @ParameterizedTest
    @FieldSource("SERVICES")
    void everyVariableOfComposeIsReadByItsService(String service) {
        assertThat(unread(Compose.environment(service), Set.of(service))).isEmpty();
    }

    @ParameterizedTest
    @FieldSource("SERVICES")
    void everyVariableOfAPodIsReadByItsService(String service) {
        assertThat(unread(Environments.own(service), Set.of(service))).isEmpty();
    }

    @Test
    void everySharedVariableIsReadByAService() {
        assertThat(unread(Environments.shared(), Set.copyOf(SERVICES))).isEmpty();
    }

    @Test
    void aVariableThatNobodyReadsIsFound() {
        assertThat(unread(Map.of("TIDEMILL_MODELS", "x", "TIDEMILL_MODEL", "y"), Set.of("feedback")))
                .containsExactly("TIDEMILL_MODELS");
    }

    @ParameterizedTest
    @FieldSource("SERVICES")
    void theServiceListensOnThePortOfBothFilesAndBeyondLoopback(String service) {
        ServiceSettings settings = ServiceSettings.of(service);
        for (Map<String, String> environment : List.of(Compose.environment(service), inThePod(service))) {
            assertThat(settings.under(environment).getValue("quarkus.http.host", String.class))
                    .isEqualTo("0.0.0.0");
            assertThat(settings.under(environment).getValue("quarkus.http.port", Integer.class))
                    .isEqualTo(Environments.port(service));
        }
        assertThat(Compose.service(service).at("/healthcheck/test/2").asInt()).isEqualTo(Environments.port(service));
    }

    @ParameterizedTest
    @FieldSource("SERVICES")
    void theServiceAsksTheBrokersAndTheStoreThatTheFilesName(String service) {
        ServiceSettings settings = ServiceSettings.of(service);
        assertThat(settings.mappings()).as("configuration of " + service).isNotEmpty();
        for (Map<String, String> environment : List.of(Compose.environment(service), inThePod(service))) {
            assertThat(settings.effective(environment, "bootstrap-servers"))
                    .isEqualTo(environment.get("KAFKA_BOOTSTRAP_SERVERS"));
            if (Set.of("preprocess-stream", "feedback").contains(service)) {
                assertThat(settings.effective(environment, "store-url"))
                        .isEqualTo(environment.get("TIDEMILL_STORE_URL"));
            }
        }
        assertThat(settings.effective(inThePod(service), "replication-factor")).isEqualTo("3");
    }

    @Test
    void theStreamsInstanceHasThePodsName() {
        assertThat(ServiceSettings.of("preprocess-stream").effective(inThePod("preprocess-stream"), "instance-id"))
                .isEqualTo("preprocess-stream-0");
    }

    /** Its default is the address that it listens on, and 0.0.0.0 leads nowhere. */
    @Test
    void theStoreIsAnnouncedUnderAnAddressThatLeadsToIt() {
        ServiceSettings trainer = ServiceSettings.of("trainer");
        int port = Environments.port("trainer");
        assertThat(trainer.effective(Compose.environment("trainer"), "public-url"))
                .isEqualTo("http://localhost:" + port);
        assertThat(trainer.effective(inThePod("trainer"), "public-url"))
                .isEqualTo("http://trainer.tidemill.svc:" + port);
    }

    /** A pod without a processor limit sees all processors of its node. */
    @Test
    void theTrainerHasAsManyThreadsAsItAsksForProcessors() {
        assertThat(ServiceSettings.of("trainer").effective(inThePod("trainer"), "threads"))
                .isEqualTo(Environments.processors("trainer"));
    }

    /** Else it would refuse to start. */
    @Test
    void feedbackAsksForKeysBecauseItListensBeyondLoopback() {
        ServiceSettings settings = ServiceSettings.of("feedback");
        for (Map<String, String> environment : List.of(Compose.environment("feedback"), inThePod("feedback"))) {
            String host = settings.under(environment).getValue("quarkus.http.host", String.class);
            boolean keys = "api-key".equals(settings.effective(environment, "authentication"));
            Binding.check(host, keys);
        }
    }

    private static Set<String> unread(Map<String, String> environment, Set<String> services) {
        Set<String> unread = new TreeSet<>(environment.keySet());
        unread.removeAll(OF_JAVA);
        services.forEach(service -> unread.removeAll(ServiceSettings.of(service).variables()));
        return unread;
    }

    private static Map<String, String> inThePod(String service) {
        Map<String, String> environment = new HashMap<>(Environments.shared());
        environment.putAll(Environments.own(service));
        return environment;
    }
}
