package io.tidemill.trainer.offline;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code trainer_state.json} of a checkpoint: transformers' fields, as far as they are ours too, and what a resumed run
 * needs to go on as if it had not been stopped.
 *
 * @param globalStep   steps done
 * @param maxSteps     steps in all
 * @param epoch        passes over the data
 * @param logHistory   all rows that were logged
 * @param bestMetric   best value of the metric so far; null before the first evaluation
 * @param bestStep     step of it; 0 before
 * @param patience     what early stopping remembers; empty without it
 * @param stopped      whether it was stopped early
 * @param window       sums since the last logged row
 * @param memory       what the stage keeps beside the weights
 */
record TrainerState(
        long globalStep,
        long maxSteps,
        double epoch,
        List<Map<String, Double>> logHistory,
        Double bestMetric,
        long bestStep,
        Map<String, Double> patience,
        boolean stopped,
        Map<String, Double> window,
        Map<String, Double> memory) {
    static final String FILE = "trainer_state.json";

    static final ObjectMapper JSON = JsonMapper.builder()
            .propertyNamingStrategy(com.fasterxml.jackson.databind.PropertyNamingStrategies.SNAKE_CASE)
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    TrainerState {
        List<Map<String, Double>> rows = new ArrayList<>();
        logHistory.forEach(row -> rows.add(java.util.Collections.unmodifiableMap(new LinkedHashMap<>(row))));
        logHistory = List.copyOf(rows);
        patience = Map.copyOf(patience);
        window = Map.copyOf(window);
        memory = Map.copyOf(memory);
    }
}
