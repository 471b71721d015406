package io.tidemill.model.engine;

import java.util.List;
import java.util.stream.IntStream;

/**
 * What a decoder's last states become: log-probabilities of the next token, or scores.
 *
 * @param kind       which heads there are
 * @param labels     what the scores are called, one a score; empty where there are none
 * @param padTokenId a text's last tokens of this id are padding, as transformers has it: the score is that of the state
 *                   before them; −1 = every token is text. Must not be a token that ends texts
 */
public record DecoderHead(Kind kind, List<String> labels, int padTokenId) {
    /** Which heads there are. */
    public enum Kind {
        /** Over the vocabulary, the embedding again or a matrix of its own. */
        LANGUAGE,
        /** One score a label, a matrix without bias: {@code …ForSequenceClassification}; one label is a reward model. */
        SCORES,
        /** Over the vocabulary, and one score beside it: a critic on the trunk of the policy. Exists only while training. */
        LANGUAGE_AND_VALUE
    }

    public static final DecoderHead LANGUAGE = new DecoderHead(Kind.LANGUAGE, List.of(), -1);

    static final DecoderHead LANGUAGE_AND_VALUE = new DecoderHead(Kind.LANGUAGE_AND_VALUE, List.of(), -1);

    public DecoderHead {
        labels = List.copyOf(labels);
        if (labels.isEmpty() == (kind == Kind.SCORES)) {
            throw new IllegalArgumentException("A model has labels if and only if it scores them, but this one has "
                    + labels + " and head " + kind);
        }
        if (labels.stream().distinct().count() != labels.size()) {
            throw new IllegalArgumentException("Every label needs a name of its own, but they are " + labels);
        }
    }

    /** So many scores, called as transformers calls what has no name. */
    public static DecoderHead ofScores(int count) {
        ModelConfig.atLeastOne("num_labels", count);
        List<String> labels =
                IntStream.range(0, count).mapToObj(i -> "LABEL_" + i).toList();
        return new DecoderHead(Kind.SCORES, labels, -1);
    }

    /** Whether it says anything about the next token. */
    public boolean speaks() {
        return kind != Kind.SCORES;
    }

    /** How many scores each state has. */
    public int scores() {
        return kind == Kind.LANGUAGE_AND_VALUE ? 1 : labels.size();
    }

    void requireSpeech() {
        if (!speaks()) {
            throw new IllegalStateException("This needs a head over the vocabulary, but the model gives the scores "
                    + labels + ". Load a language model");
        }
    }

    void requireScores() {
        if (scores() == 0) {
            throw new IllegalStateException(
                    "This needs a head of scores, but the model is a language model. Give it one: withScores");
        }
    }
}
