/**
 * The service that answers, and hears what people think of the answers. In flow chat requests, ratings and commands over
 * HTTP and promoted versions from {@code checkpoints}; out flow answers, and records of {@code completions},
 * {@code feedback} and {@code commands}. A restart loses only what nobody was told is kept.
 */
package io.tidemill.feedback;
