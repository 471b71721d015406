/**
 * The language model as numbers: weights, forward pass, losses with gradients, AdamW and generation of Llama-shaped
 * decoders. In flow Hugging Face directories (config.json, safetensors) and token ids; out flow log-probabilities,
 * tokens and directories that transformers loads. Nothing here talks to Kafka or keeps state outside the files it is
 * told to write; a restart repeats what its caller repeats, bit for bit with the same thread count.
 */
package io.tidemill.model.engine;
