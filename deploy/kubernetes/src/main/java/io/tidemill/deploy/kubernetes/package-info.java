/**
 * Turns the topic catalogue into Strimzi's resources; the other deployment files are written by hand.
 *
 * <p>The topic catalogue of {@code proto} flows in, {@code base/topics.yaml} flows out. The tests of this module check
 * all files of {@code deploy/kubernetes} and {@code deploy/compose}. Nothing runs here, so a restart repeats nothing.
 */
package io.tidemill.deploy.kubernetes;
