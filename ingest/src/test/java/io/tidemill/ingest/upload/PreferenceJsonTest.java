package io.tidemill.ingest.upload;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.proto.Readers;
import io.tidemill.proto.Reading;
import io.tidemill.proto.v1.Comparison;
import io.tidemill.proto.v1.Feedback;
import io.tidemill.proto.v1.SelfContained;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PreferenceJsonTest {
    private static final String USER = "{\"role\":\"user\",\"content\":\"Why?\"}";
    private static final String GOOD = "{\"role\":\"assistant\",\"content\":\"Because.\"}";
    private static final String BAD = "{\"role\":\"assistant\",\"content\":\"No.\"}";

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'prompt':'Why?','chosen':'Because.','rejected':'No.'}",
                "{'messages':[USER],'chosen':'Because.','rejected':'No.'}",
                "{'prompt':[USER],'chosen':[GOOD],'rejected':[BAD]}",
                "{'chosen':[USER,GOOD],'rejected':[USER,BAD]}",
                "{'prompt':'Why?','chosen':[USER,GOOD],'rejected':[USER,BAD]}"
            })
    void everyShapeOfAPairBecomesTheSameComparison(String shape) {
        Feedback feedback = accepted(shape);
        SelfContained whole = feedback.getComparison().getSelfContained();
        assertThat(whole.getMessagesList()).singleElement().satisfies(message -> {
            assertThat(message.getRole()).isEqualTo("user");
            assertThat(message.getContent()).isEqualTo("Why?");
        });
        assertThat(whole.getAnswerA()).isEqualTo("Because.");
        assertThat(whole.getAnswerB()).isEqualTo("No.");
        assertThat(feedback.getComparison().getVerdict()).isEqualTo(Comparison.Verdict.A_BETTER);
        assertThat(feedback.getSource()).isEqualTo("external");
        Feedback withId = feedback.toBuilder().setFeedbackId("f").build();
        assertThat(Readers.feedback().check(withId)).isInstanceOf(Reading.Accepted.class);
    }

    @Test
    void whatElseIsSaidIsKept() {
        Feedback feedback = accepted("{'id':'p-1','prompt':'Why?','chosen':'a','rejected':'b','source':'grammar',"
                + "'groupId':'rule-7','event_time':'2026-01-31T12:00:00Z','subjects':['s-1','s-2'],'turn_id':null}");
        assertThat(feedback.getFeedbackId()).isEqualTo("p-1");
        assertThat(feedback.getSource()).isEqualTo("grammar");
        assertThat(feedback.getGroupId()).isEqualTo("rule-7");
        assertThat(feedback.getEventTime().getSeconds()).isEqualTo(1_769_860_800L);
        assertThat(feedback.getSubjectsList()).containsExactly("s-1", "s-2");
    }

    @Test
    void pairsOfOnePromptStayOnOneSideOfTheSplit() {
        String first = accepted("{'prompt':'Why?','chosen':'a','rejected':'b'}").getGroupId();
        assertThat(accepted("{'prompt':[USER],'chosen':'c','rejected':'d'}").getGroupId())
                .isEqualTo(first)
                .startsWith("prompt:");
        assertThat(accepted("{'prompt':'How?','chosen':'a','rejected':'b'}").getGroupId())
                .isNotEqualTo(first);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'prompt':'Why?','chosen':'a'}                              | missing-field | rejected is required",
                "{'chosen':'a','rejected':'b'}                               | missing-field | prompt or messages is required",
                "{'prompt':'','chosen':'a','rejected':'b'}                   | missing-field | prompt is required",
                "{'prompt':5,'chosen':'a','rejected':'b'}                    | wrong-type    | prompt must be a string or a list of messages, but was 5",
                "{'prompt':'Why?','chosen':{},'rejected':'b'}                | wrong-type    | chosen must be a string or a list of messages, but was an object",
                "{'prompt':'Why?','chosen':'a','rejected':'a'}               | wrong-value   | rejected must be another answer than chosen, but was a",
                "{'prompt':'Why?','messages':[USER],'chosen':'a','rejected':'b'} | wrong-value | given twice under two names",
                "{'prompt':'Why?','chosen':'a','rejected':'b','score':1}     | unknown-field | score is not a field of a preference. Expected: chosen, event_time",
                "{'prompt':'Why?','chosen':[USER],'rejected':[BAD]}          | wrong-value   | chosen[0].role must be assistant, because it is the answer, but was user",
                "{'prompt':'How?','chosen':[USER,GOOD],'rejected':[BAD]}     | wrong-value   | chosen must be one answer, or the 1 messages of the prompt",
                "{'chosen':[USER,GOOD],'rejected':[BAD]}                     | wrong-value   | rejected must be",
                "{'prompt':[{'role':'robot','content':'x'}],'chosen':'a','rejected':'b'} | wrong-value | prompt[0].role must be system, user or assistant, but was robot",
                "{'prompt':[{'role':'user'}],'chosen':'a','rejected':'b'}    | missing-field | prompt[0].content is required",
                "{'prompt':[{'role':'user','content':'x','name':'y'}],'chosen':'a','rejected':'b'} | wrong-value | prompt[0] must be a message of role and content, but was one with name",
                "{'prompt':'Why?','chosen':'a','rejected':'b','subjects':'s'} | wrong-type   | subjects must be a list",
                "{'prompt':'Why?','chosen':'a','rejected':'b','event_time':'soon'} | wrong-value | event_time must be a time in RFC 3339",
                "{'prompt':'\\ud800','chosen':'a','rejected':'b'}            | wrong-value   | prompt must be Unicode text",
                "{'prompt':'Why?','prompt':'How?'}                           | unreadable    | Not JSON at line 1",
                "{'prompt':'Why?'} {}                                        | unreadable    | Not JSON at line 1",
                "[]                                                          | wrong-type    | The value must be a JSON object, but was a list",
                "nonsense                                                    | unreadable    | Not JSON at line 1"
            })
    void whatIsNotAPairIsRefusedWithFieldAndValue(String shape, String code, String reason) {
        assertThat(PreferenceJson.read(json(shape))).isInstanceOfSatisfying(Reading.Refused.class, refused -> {
            assertThat(refused.reason()).contains(reason);
            assertThat(refused.code()).isEqualTo(code);
        });
    }

    private static Feedback accepted(String shape) {
        Reading<Feedback> reading = PreferenceJson.read(json(shape));
        assertThat(reading).isInstanceOf(Reading.Accepted.class);
        return ((Reading.Accepted<Feedback>) reading).message();
    }

    private static byte[] json(String shape) {
        return shape.replace("USER", USER)
                .replace("GOOD", GOOD)
                .replace("BAD", BAD)
                .replace('\'', '"')
                .getBytes(UTF_8);
    }
}
