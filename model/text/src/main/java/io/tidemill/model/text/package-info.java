/**
 * Between text and token ids: tokenizers in Hugging Face's format, chat templates, streaming decoding, and the
 * training of a byte-level BPE vocabulary.
 *
 * <p>In flow strings and conversations, out flow ids, masks and strings. Nothing here keeps state between calls, so a
 * restart repeats nothing.
 */
package io.tidemill.model.text;
