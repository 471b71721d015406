/**
 * The demo: real text and real choices, streamed as any producer would, and a watch over what becomes of them.
 *
 * <p>In flow the novel and the grammar corrections that the base model has not seen; out come documents by REST,
 * comparisons by Kafka, and at the end a table of what each round changed. It speaks to the mill only through its
 * doors: REST, topics, published checkpoints. It keeps no state: a second run starts from its data directory.
 */
package io.tidemill.standalone.demo;
