/**
 * An independent witness of the ledger: it shares no code with the services that it judges. In flow the log, the consumer
 * positions of preprocessing and the files of a checkpoint store, all as they stand; out flows a report of what became of
 * every event and every example. It writes nothing, so a restart repeats everything and says the same.
 */
package io.tidemill.auditor;
