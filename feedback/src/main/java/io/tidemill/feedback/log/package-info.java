/**
 * The way to Kafka. In flow events with their keys, out flow acknowledged records of {@code completions},
 * {@code feedback} and {@code commands}. A restart loses what was not acknowledged, and nobody was told that it was.
 */
package io.tidemill.feedback.log;
