/**
 * Versions at the command line: a list, a line for each new one, its files, or what can be proved of them.
 *
 * <p>In flows the trainer's REST interface of any running mill, or a store on disk; out come lines for people and Hugging
 * Face directories for programs. A download that was cut short is not visible and is done again.
 */
package io.tidemill.standalone.checkpoints;
