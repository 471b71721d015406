/**
 * Runs a Kafka Streams application next to a broker that may be away: settings, bounded memory, supervision.
 *
 * <p>In flow a topology and its topics, out flows a running application with its state and lag. A restart repeats what
 * the last transaction had not committed, and after an unclean stop rebuilds the local stores from their changelogs.
 */
package io.tidemill.preprocess.stream;
