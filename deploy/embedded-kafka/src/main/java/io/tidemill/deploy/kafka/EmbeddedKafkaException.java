package io.tidemill.deploy.kafka;

/** The broker did not start. The message is one sentence for the person at the terminal: what, which value, what next. */
public final class EmbeddedKafkaException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    EmbeddedKafkaException(String message) {
        super(message);
    }

    EmbeddedKafkaException(String message, Throwable cause) {
        super(message, cause);
    }
}
