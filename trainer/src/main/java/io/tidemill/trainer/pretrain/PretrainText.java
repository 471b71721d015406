package io.tidemill.trainer.pretrain;

import io.tidemill.trainer.data.TrainingSequence;
import java.util.List;

/**
 * The text of a base model, tokenized.
 *
 * @param training     in the corpus's order; each document ends with the end-of-text token
 * @param heldOut      never trained on
 * @param heldOutBytes of the UTF-8 text behind {@code heldOut}
 */
public record PretrainText(List<TrainingSequence> training, List<int[]> heldOut, long heldOutBytes) {

    public PretrainText {
        training = List.copyOf(training);
        heldOut = List.copyOf(heldOut);
        if (training.isEmpty() || heldOut.isEmpty()) {
            throw new IllegalArgumentException("pretraining needs training and held-out text, but has "
                    + training.size() + " and " + heldOut.size() + " documents");
        }
    }

    public long trainingTokens() {
        return training.stream().mapToLong(sequence -> sequence.ids().length).sum();
    }
}
