/**
 * Tests of the built application as its user runs it: a process of its own, signals, a second start.
 *
 * <p>They run after packaging, because they need the application's files, and with a random model of a few thousand
 * weights, because they are about what is kept and not about what is learnt.
 */
package io.tidemill.standalone.process;
