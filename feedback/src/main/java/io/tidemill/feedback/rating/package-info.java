/**
 * What people say: ratings, comparisons, corrections, withdrawals, and commands to the trainer. In flow HTTP requests,
 * out flow acknowledged records of {@code feedback} and {@code commands}. A repeat after a restart is appended again
 * under the same id, which is the same event to every reader.
 */
package io.tidemill.feedback.rating;
