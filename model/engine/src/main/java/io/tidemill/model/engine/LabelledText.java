package io.tidemill.model.engine;

/**
 * A text and what it is an example of.
 *
 * @param label index into {@link EncoderConfig#labels()}
 */
public record LabelledText(EncoderInput input, int label) {}
