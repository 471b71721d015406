/**
 * Rounds, from trigger to announcement. In flow the log and commands; out flow versions and the state of the loop. A
 * round is frozen in a plan before it starts; a restart goes on with the same plan under the same number, from the last
 * saved step.
 */
package io.tidemill.trainer.round;
