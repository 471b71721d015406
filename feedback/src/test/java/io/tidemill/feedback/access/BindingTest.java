package io.tidemill.feedback.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BindingTest {
    @ParameterizedTest
    @ValueSource(strings = {"localhost", "127.0.0.1", "127.8.9.1", "::1", "[::1]", "LOCALHOST", "tidemill.localhost"})
    void loopbacksOwnNames(String host) {
        assertThat(Binding.isLoopback(host)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"0.0.0.0", "::", "192.168.1.4", "example.org", "127.0.0.1.evil.example", "localhost.evil", ""})
    void everythingElseIsReachableByOthers(String host) {
        assertThat(Binding.isLoopback(host)).isFalse();
    }

    @Test
    void listeningBeyondLoopbackNeedsKeysAndTheMessageSaysBothRemedies() {
        assertThatThrownBy(() -> Binding.check("0.0.0.0", false))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("quarkus.http.host is 0.0.0.0, which others can reach: set feedback.authentication=api-key,"
                        + " or listen on 127.0.0.1.");
        assertThatCode(() -> Binding.check("0.0.0.0", true)).doesNotThrowAnyException();
        assertThatCode(() -> Binding.check("127.0.0.1", false)).doesNotThrowAnyException();
    }
}
