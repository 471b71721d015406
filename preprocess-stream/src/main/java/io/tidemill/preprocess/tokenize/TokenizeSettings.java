package io.tidemill.preprocess.tokenize;

import io.tidemill.preprocess.state.Limits;
import io.tidemill.proto.SplitFunction;

/**
 * Settings of the tokenize topology.
 *
 * @param maxDocumentCharacters longest text that is taken, all messages of a conversation together; code points
 * @param deduplication         how long and how many ids and contents are remembered
 */
public record TokenizeSettings(int maxDocumentCharacters, Limits deduplication, SplitFunction split) {}
