package io.tidemill.feedback.gateway;

import io.tidemill.feedback.answer.AnswerSettings;
import io.tidemill.feedback.answer.Question;
import java.util.Optional;

/**
 * One checked request for answers.
 *
 * @param model        name or version that the client asks for; empty takes what serves
 * @param settings     of the first choice
 * @param choices      number of answers to the same question
 * @param includeUsage whether a stream ends with a chunk of token counts
 * @param logProbs     whether each token's log-probability is reported
 * @param store        whether the answers become training material, and so can be rated
 * @param user         whom the client says that it asks for; whose data this is, never who rates
 */
record AskedFor(
        Question question,
        Optional<String> model,
        AnswerSettings settings,
        int choices,
        boolean stream,
        boolean includeUsage,
        boolean logProbs,
        boolean store,
        Optional<String> user) {}
