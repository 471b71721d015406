/**
 * The fault harness: documents and judgements flow into a mill, or a trainer alone, that is killed, stopped, starved of disk and
 * damaged while it works; out comes a ledger of faults and, for each lineage that suffered them, a proof from ids and weights
 * that nothing was lost, learned twice or changed by a bit. A restart of the harness goes on with the lineage of the last
 * fault in the ledger, and repeats none.
 */
package io.tidemill.standalone.torture;
