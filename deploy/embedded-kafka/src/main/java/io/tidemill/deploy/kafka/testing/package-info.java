/**
 * One broker for all tests of a JVM.
 *
 * <p>{@link io.tidemill.deploy.kafka.testing.SharedKafka} starts it on first use, on a directory that goes with the
 * JVM; {@link io.tidemill.deploy.kafka.testing.KafkaTestResource} hands its address to a {@code @QuarkusTest}. Tests
 * share topics, so each takes names or a topic prefix of its own.
 */
package io.tidemill.deploy.kafka.testing;
