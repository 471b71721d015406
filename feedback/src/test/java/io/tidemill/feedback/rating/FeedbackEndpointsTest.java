package io.tidemill.feedback.rating;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;

import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.config.EncoderConfig;
import io.restassured.config.RestAssuredConfig;
import io.restassured.http.ContentType;
import io.restassured.response.ValidatableResponse;
import io.restassured.specification.RequestSpecification;
import io.tidemill.feedback.testing.Kafka;
import io.tidemill.feedback.testing.ServiceTestResource;
import io.tidemill.feedback.testing.Serving;
import io.tidemill.proto.Ids;
import io.tidemill.proto.Readers;
import io.tidemill.proto.v1.Command;
import io.tidemill.proto.v1.Comparison;
import io.tidemill.proto.v1.Feedback;
import io.tidemill.proto.v1.Principal;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@QuarkusTest
@QuarkusTestResource(ServiceTestResource.class)
class FeedbackEndpointsTest {
    /** A response of another process: this one knows nothing against rating it. */
    private final String response = "chatcmpl-" + Ids.uuid7();

    @Test
    void aThumbIsOnTheLogWhenItIsAccepted() {
        String id = accepted("thumbs", "{\"completion_id\": \"" + response + "/1\", \"up\": true}");
        Feedback feedback = only(id);
        assertThat(feedback.getTurnId()).isEqualTo(response);
        assertThat(feedback.getThumb().getCompletionId()).isEqualTo(response + "/1");
        assertThat(feedback.getThumb().getUp()).isTrue();
        assertThat(feedback.getPrincipal().getSubject()).isEqualTo("local");
        assertThat(feedback.getPrincipal().getAssurance()).isEqualTo(Principal.Assurance.LOOPBACK);
        assertThat(feedback.hasEventTime()).isTrue();
        assertThat(feedback.getSubjectsList()).containsExactly("local");
    }

    @Test
    void starsHaveAScale() {
        Feedback feedback =
                only(accepted("ratings", "{\"completion_id\": \"" + response + "/0\", \"stars\": 7, \"out_of\": 10}"));
        assertThat(feedback.getRating().getStars()).isEqualTo(7);
        assertThat(feedback.getRating().getOutOf()).isEqualTo(10);
        refused("ratings", "{\"completion_id\": \"" + response + "/0\", \"stars\": 7}", "stars")
                .body("error.message", containsString("from 1 to 5"));
    }

    @Test
    void aComparisonRemembersWhichStoodLeftAndInWhichOrderTheyAppeared() {
        String body =
                "{\"turn_id\": \"" + response + "\", \"completion_a\": \"" + response + "/0\", \"completion_b\": \""
                        + response + "/1\", \"verdict\": \"b\", \"left\": \"b\", \"displayed_order\": [\"b\", \"a\"]}";
        Comparison comparison = only(accepted("comparisons", body)).getComparison();
        assertThat(comparison.getVerdict()).isEqualTo(Comparison.Verdict.B_BETTER);
        assertThat(comparison.getLeft()).isEqualTo(Comparison.Side.B);
        assertThat(comparison.getDisplayedOrderList()).containsExactly(response + "/1", response + "/0");
    }

    @Test
    void aComparisonOfAnswersFromElsewhereBringsItsPromptAndGroup() {
        String body = "{\"prompt\": \"Which is right?\", \"answer_a\": \"He go\", \"answer_b\": \"He goes\","
                + " \"verdict\": \"b\", \"source\": \"grammar\", \"group_id\": \"rule-9\"}";
        Feedback feedback = only(accepted("comparisons", body));
        assertThat(feedback.getTurnId()).isEmpty();
        assertThat(feedback.getSource()).isEqualTo("grammar");
        assertThat(feedback.getGroupId()).isEqualTo("rule-9");
        assertThat(feedback.getComparison().getSelfContained().getMessages(0).getContent())
                .isEqualTo("Which is right?");
        assertThat(feedback.getComparison().getSelfContained().getAnswerB()).isEqualTo("He goes");
    }

    @Test
    void anArrayIsTakenWholeOrNotAtAll() {
        String group = Ids.uuid7();
        String good = self(group, 1);
        List<String> ids = post("comparisons", "[" + good + ", " + self(group, 2) + "]")
                .statusCode(202)
                .body("accepted", equalTo(2))
                .extract()
                .jsonPath()
                .getList("feedback_ids");
        assertThat(inGroup(group)).extracting(Feedback::getFeedbackId).containsExactlyInAnyOrderElementsOf(ids);

        String other = Ids.uuid7();
        refused("comparisons", "[" + self(other, 1) + ", {\"prompt\": \"x\", \"verdict\": \"a\"}]", "[1].answer_a");
        assertThat(inGroup(other)).isEmpty();
    }

    @Test
    void aStreamOfLinesIsTakenUpToTheFirstBadOneAndSaysSo() {
        String group = Ids.uuid7();
        String lines = IntStream.range(0, 600).mapToObj(i -> self(group, i)).collect(Collectors.joining("\n"));
        stream(lines).statusCode(202).body("accepted", equalTo(600));
        assertThat(inGroup(group)).hasSize(600);

        String other = Ids.uuid7();
        stream(self(other, 1) + "\n\n" + self(other, 2) + "\n{\"verdict\": \"a\"\n" + self(other, 3))
                .statusCode(400)
                .body("error.line", equalTo(4))
                .body("error.accepted", equalTo(2));
        assertThat(inGroup(other)).hasSize(2);
    }

    @Test
    void aStreamThatUsesAKeyAgainWithAnotherLineSaysWhatIsKept() {
        String group = Ids.uuid7();
        String key = Ids.uuid7();
        stream(key, self(group, 1) + "\n" + self(group, 2)).statusCode(202);
        stream(key, self(group, 1) + "\n" + self(group, 3))
                .statusCode(422)
                .body("error.code", equalTo("idempotency_key_reused"))
                .body("error.line", equalTo(2))
                .body("error.accepted", equalTo(1))
                .body("error.remedy", containsString("under the same key"));
        assertThat(inGroup(group)).hasSize(2);
        // Under its key a stream that was cut off goes on where it ended.
        stream(key, self(group, 1) + "\n" + self(group, 2) + "\n" + self(group, 4))
                .statusCode(202);
        assertThat(inGroup(group)).hasSize(3);
    }

    @Test
    void anArrayWithOneMoreElementIsAnotherBodyUnderTheSameKey() {
        String group = Ids.uuid7();
        String key = Ids.uuid7();
        withKey("comparisons", key, "[" + self(group, 1) + "]").statusCode(202);
        withKey("comparisons", key, "[" + self(group, 1) + "," + self(group, 2) + "]")
                .statusCode(422);
        assertThat(inGroup(group)).hasSize(1);
    }

    @Test
    void aWithdrawalSaysWhatItCannotTakeBack() {
        String comparison = accepted("comparisons", self(Ids.uuid7(), 1));
        post("withdrawals", "{\"feedback_id\": \"" + comparison + "\"}")
                .statusCode(202)
                .body("note", containsString("a version that has learned it keeps it"));
    }

    @Test
    void aCorrectionACommentAndAWithdrawalAreKept() {
        String corrected =
                accepted("corrections", "{\"completion_id\": \"" + response + "/0\", \"corrected\": \"It is five.\"}");
        assertThat(only(corrected).getCorrection().getCorrected()).isEqualTo("It is five.");
        String comment = accepted("comments", "{\"completion_id\": \"" + response + "/0\", \"text\": \"Too short.\"}");
        assertThat(only(comment).getComment().getText()).isEqualTo("Too short.");
        String withdrawal = accepted("withdrawals", "{\"feedback_id\": \"" + corrected + "\"}");
        assertThat(only(withdrawal).getWithdrawal().getFeedbackId()).isEqualTo(corrected);
        assertThat(only(withdrawal).getTurnId()).isEqualTo(response);
        refused("withdrawals", "{\"feedback_id\": \"never-seen\"}", "turn_id");
    }

    @Test
    void aRepeatIsOneEvent() {
        String thumb = "{\"completion_id\": \"" + response + "/0\", \"up\": false}";
        String key = Ids.uuid7();
        String first = withKey(key, thumb).statusCode(202).extract().path("feedback_id");
        withKey(key, thumb).statusCode(202).body("feedback_id", equalTo(first));
        assertThat(feedback(first)).hasSize(1);
        withKey(key, thumb.replace("false", "true")).statusCode(422).body("error.message", containsString(key));

        String own = "own-" + Ids.uuid7();
        String body = "{\"feedback_id\": \"" + own + "\", \"completion_id\": \"" + response + "/0\", \"up\": true}";
        assertThat(accepted("thumbs", body)).isEqualTo(own);
        assertThat(accepted("thumbs", body)).isEqualTo(own);
        assertThat(feedback(own)).hasSize(1);
    }

    @Test
    void anAnswerOfThisServiceCanBeRatedByItsId() {
        Serving.some();
        String id = given().body("{\"messages\": [{\"role\": \"user\", \"content\": \"hi\"}]}")
                .post("/v1/chat/completions")
                .path("tidemill.completion_ids[0]");
        assertThat(only(accepted("thumbs", "{\"completion_id\": \"" + id + "\", \"up\": true}"))
                        .getTurnId())
                .isEqualTo(id.substring(0, id.indexOf('/')));
    }

    @ParameterizedTest(name = "{0} {1} is refused for {2}")
    @CsvSource(
            delimiter = '|',
            value = {
                "thumbs|{\"up\": true}|completion_id",
                "thumbs|{\"completion_id\": \"x\", \"up\": true}|completion_id",
                "thumbs|{\"completion_id\": \"r/0\"}|up",
                "thumbs|{\"completion_id\": \"r/0\", \"up\": \"yes\"}|up",
                "thumbs|{\"completion_id\": \"r/0\", \"up\": true, \"principal\": \"me\"}|principal",
                "thumbs|{\"completion_id\": \"r/0\", \"up\": true, \"event_time\": \"noon\"}|event_time",
                "ratings|{\"completion_id\": \"r/0\", \"stars\": 0}|stars",
                "corrections|{\"completion_id\": \"r/0\", \"corrected\": \" \"}|corrected",
                "comparisons|{\"completion_a\": \"r/0\", \"completion_b\": \"r/1\", \"verdict\": \"left\"}|verdict",
                "comparisons|{\"completion_a\": \"r/0\", \"completion_b\": \"r/0\", \"verdict\": \"a\"}|completion_b",
                "comparisons|{\"completion_a\": \"r/0\", \"completion_b\": \"s/0\", \"verdict\": \"a\"}|completion_b",
                "comparisons|{\"completion_a\": \"r/0\", \"completion_b\": \"r/1\", \"verdict\": \"a\", \"left\": \"c\"}|left",
                "comparisons|{\"prompt\": \"p\", \"answer_a\": \"x\", \"answer_b\": \"x\", \"verdict\": \"a\"}|answer_b",
                "comparisons|{\"answer_a\": \"x\", \"answer_b\": \"y\", \"verdict\": \"a\"}|prompt",
                "comparisons|[]|body",
                "comments|nonsense|body",
            })
    void whatIsWrongIsNamed(String kind, String body, String field) {
        refused(kind, body, field);
    }

    @Test
    void commandsReachTheTrainerThroughTheLog() {
        String id = given().body("{\"kind\": \"rollback\", \"version\": \"tidemill-000004\", \"reason\": \"worse\"}")
                .post("/v1/commands")
                .then()
                .statusCode(202)
                .extract()
                .path("command_id");
        Command command = Kafka.all(Kafka.topics().commands(), Readers.commands(), c -> c.getCommandId()
                        .equals(id))
                .get(0);
        assertThat(command.getModel()).isEqualTo("tidemill");
        assertThat(command.getPrincipal().getSubject()).isEqualTo("local");
        assertThat(command.getRollback().getVersion()).isEqualTo("tidemill-000004");
        assertThat(command.getRollback().getReason()).isEqualTo("worse");
        for (String kind : List.of("start_round", "pause", "resume")) {
            given().body("{\"kind\": \"" + kind + "\"}")
                    .post("/v1/commands")
                    .then()
                    .statusCode(202);
        }
        given().body("{\"kind\": \"start_round\", \"stages\": [\"sft\"]}")
                .post("/v1/commands")
                .then()
                .statusCode(202);
        String quiet = given().body("{\"kind\": \"quiet_hours\", \"from\": \"22:00\", \"to\": \"06:00\","
                        + " \"zone\": \"Europe/Berlin\"}")
                .post("/v1/commands")
                .then()
                .statusCode(202)
                .extract()
                .path("command_id");
        assertThat(Kafka.all(Kafka.topics().commands(), Readers.commands(), c -> c.getCommandId()
                        .equals(quiet)))
                .singleElement()
                .satisfies(c -> assertThat(c.getQuietHours().getFrom()).isEqualTo("22:00"));
        given().body("{\"kind\": \"quiet_hours\", \"from\": \"late\", \"to\": \"06:00\"}")
                .post("/v1/commands")
                .then()
                .statusCode(400)
                .body("error.param", equalTo("from"));
        given().body("{\"kind\": \"promote\"}")
                .post("/v1/commands")
                .then()
                .statusCode(400)
                .body("error.param", equalTo("version"));
        given().body("{\"kind\": \"fly\"}")
                .post("/v1/commands")
                .then()
                .statusCode(400)
                .body("error.param", equalTo("kind"));
    }

    private static String self(String group, int number) {
        return "{\"prompt\": \"p" + number + "\", \"answer_a\": \"x\", \"answer_b\": \"y\", \"verdict\": \"a\","
                + " \"group_id\": \"" + group + "\"}";
    }

    private static ValidatableResponse post(String kind, String body) {
        return given().contentType("application/json")
                .body(body)
                .post("/v1/feedback/" + kind)
                .then();
    }

    private static ValidatableResponse stream(String lines) {
        return stream(given(), lines);
    }

    private static ValidatableResponse stream(String key, String lines) {
        return stream(given().header("Idempotency-Key", key), lines);
    }

    private static ValidatableResponse stream(RequestSpecification request, String lines) {
        return request.header("Content-Type", "application/x-ndjson")
                .config(RestAssuredConfig.config()
                        .encoderConfig(EncoderConfig.encoderConfig()
                                .encodeContentTypeAs("application/x-ndjson", ContentType.TEXT)))
                .body(lines)
                .post("/v1/feedback/comparisons")
                .then();
    }

    private static ValidatableResponse withKey(String key, String body) {
        return withKey("thumbs", key, body);
    }

    private static ValidatableResponse withKey(String kind, String key, String body) {
        return given().header("Idempotency-Key", key)
                .body(body)
                .post("/v1/feedback/" + kind)
                .then();
    }

    private static String accepted(String kind, String body) {
        return post(kind, body).statusCode(202).extract().path("feedback_id");
    }

    private static ValidatableResponse refused(String kind, String body, String field) {
        return post(kind, body)
                .statusCode(400)
                .body("error.param", equalTo(field))
                .body("error.message", containsString(field))
                .body("error.expected", org.hamcrest.Matchers.notNullValue());
    }

    private static Feedback only(String id) {
        List<Feedback> found = feedback(id);
        assertThat(found).hasSize(1);
        return found.get(0);
    }

    private static List<Feedback> feedback(String id) {
        return Kafka.all(Kafka.topics().feedback(), Readers.feedback(), f -> f.getFeedbackId()
                .equals(id));
    }

    private static List<Feedback> inGroup(String group) {
        return Kafka.all(Kafka.topics().feedback(), Readers.feedback(), f -> f.getGroupId()
                .equals(group));
    }
}
