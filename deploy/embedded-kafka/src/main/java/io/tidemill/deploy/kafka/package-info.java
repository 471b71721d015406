/**
 * A real Kafka broker in this process, for the standalone application and for tests.
 *
 * <p>In flows a directory and a port, out comes the address of a KRaft broker that is its own controller. A restart on
 * the same directory finds every record that was acknowledged before. This is the one package that touches Kafka's
 * internals, which are no public API; everything else speaks to the broker as any client would.
 */
package io.tidemill.deploy.kafka;
