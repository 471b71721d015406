package io.tidemill.standalone.torture;

import java.util.List;

/**
 * What was found when all faults of a lineage were over and all its records had been learned.
 *
 * @param versions  of the store
 * @param rebuilt   versions that were trained once more without a fault, with the same weights
 * @param accepted  records that were acknowledged to the harness
 * @param examples  in the ledgers of the versions
 * @param flaws     each a sentence; empty where the proof holds
 */
record Proof(int versions, int rebuilt, int accepted, int examples, List<String> flaws) {
    Proof {
        flaws = List.copyOf(flaws);
    }
}
