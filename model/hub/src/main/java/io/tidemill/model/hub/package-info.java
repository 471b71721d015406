/**
 * How models come here: pulled from a Hugging Face compatible hub, or imported from a TensorFlow checkpoint of BERT or an
 * ONNX file of a BERT encoder. In flow HTTP answers and files that others made, none of which is believed before it is
 * checked; out flow Hugging Face directories that the engine, or transformers, loads. A restart goes on with what a cut
 * download left aside; an import begins again, and a directory gets its name only when it is whole.
 */
package io.tidemill.model.hub;
