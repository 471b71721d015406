package io.tidemill.trainer.offline.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.model.text.ChatMessage;
import io.tidemill.trainer.offline.data.DataReader.Data;
import io.tidemill.trainer.offline.recipe.Recipe;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataReaderTest {
    private static final List<Format> CHATS =
            List.of(Format.MESSAGES, Format.CONVERSATIONS, Format.PROMPT_COMPLETION, Format.INSTRUCTION, Format.TEXT);
    private static final List<Format> PAIRS = List.of(Format.PREFERENCE);
    private static final List<Format> LABELS = List.of(Format.TEXT_LABELS, Format.TEXT_LABEL);

    @TempDir
    Path directory;

    private Mistakes mistakes = new Mistakes(20);

    private Data read(List<Format> formats, String name, String content, String... flags) throws IOException {
        return readBytes(formats, name, content.getBytes(StandardCharsets.UTF_8), flags);
    }

    private Data readBytes(List<Format> formats, String name, byte[] content, String... flags) throws IOException {
        Path file = Files.write(directory.resolve(name), content);
        return readNamed(formats, file.toString(), flags);
    }

    private Data readNamed(List<Format> formats, String source, String... flags) throws IOException {
        Map<String, String> all = new HashMap<>(Map.of("stage", "sft", "train_data", source));
        for (int i = 0; i < flags.length; i += 2) {
            all.put(flags[i], flags[i + 1]);
        }
        mistakes = new Mistakes(20);
        return new DataReader(Recipe.read(Optional.empty(), all), formats, mistakes).read();
    }

    private Example only(List<Format> formats, String row) throws IOException {
        Data data = read(formats, "data.jsonl", row + "\n");
        assertThat(mistakes.first()).isEmpty();
        assertThat(data.training()).hasSize(1);
        return data.training().get(0);
    }

    /** The one mistake of a file of one row, without its place. */
    private String mistake(List<Format> formats, String row) throws IOException {
        Data data = read(formats, "data.jsonl", row + "\n");
        assertThat(data.training()).isEmpty();
        assertThat(mistakes.first()).hasSize(1);
        String said = mistakes.first().get(0);
        assertThat(said).startsWith(directory.resolve("data.jsonl") + ":1: ");
        return said.substring(said.indexOf(": ") + 2);
    }

    // ---- formats ----------------------------------------------------------------------------------------------------

    @Test
    void theFormatsOfSupervisedDataAreToldByTheirColumns() throws IOException {
        String question = "{\"role\":\"user\",\"content\":\"Why?\"}";
        String answer = "{\"role\":\"assistant\",\"content\":\"Because.\"}";
        assertThat(only(CHATS, "{\"text\":\"Once.\"}"))
                .isInstanceOfSatisfying(
                        Example.Text.class, text -> assertThat(text.text()).isEqualTo("Once."));
        assertThat(only(CHATS, "{\"messages\":[" + question + "," + answer + "]}"))
                .isInstanceOfSatisfying(Example.Chat.class, chat -> assertThat(chat.messages())
                        .containsExactly(ChatMessage.user("Why?"), ChatMessage.assistant("Because.")));
        assertThat(
                        only(
                                CHATS,
                                "{\"conversations\":[{\"from\":\"human\",\"value\":\"Why?\"},{\"from\":\"gpt\",\"value\":\"So.\"}]}"))
                .isInstanceOfSatisfying(Example.Chat.class, chat -> assertThat(chat.messages())
                        .containsExactly(ChatMessage.user("Why?"), ChatMessage.assistant("So.")));
        assertThat(only(CHATS, "{\"prompt\":\"2+2=\",\"completion\":\"4\"}"))
                .isInstanceOfSatisfying(Example.Completion.class, example -> {
                    assertThat(example.prompt().text()).isEqualTo("2+2=");
                    assertThat(example.completion()).isEqualTo("4");
                });
        assertThat(only(CHATS, "{\"prompt\":[" + question + "],\"completion\":[" + answer + "]}"))
                .isInstanceOfSatisfying(Example.Completion.class, example -> {
                    assertThat(example.prompt().messages()).containsExactly(ChatMessage.user("Why?"));
                    assertThat(example.completion()).isEqualTo("Because.");
                });
        assertThat(only(CHATS, "{\"instruction\":\"Add.\",\"input\":\"2+2\",\"output\":\"4\"}"))
                .isInstanceOfSatisfying(Example.Completion.class, example -> {
                    assertThat(example.prompt().messages()).containsExactly(ChatMessage.user("Add.\n2+2"));
                    assertThat(example.completion()).isEqualTo("4");
                });
    }

    @Test
    void thePromptOfAPairIsGivenOrWhatItsAnswersBeginWith() throws IOException {
        Example.Pair given = (Example.Pair)
                only(PAIRS, "{\"prompt\":\"The sky is\",\"chosen\":\" blue.\",\"rejected\":\" green.\"}");
        Example.Pair implied =
                (Example.Pair) only(PAIRS, "{\"chosen\":\"The sky is blue.\",\"rejected\":\"The sky is green.\"}");
        assertThat(implied.prompt().text()).isEqualTo("The sky is");
        assertThat(implied.chosen()).isEqualTo(" blue.");
        assertThat(implied.rejected()).isEqualTo(" green.");
        assertThat(given.prompt()).isEqualTo(implied.prompt());

        String question = "{\"role\":\"user\",\"content\":\"Sky?\"}";
        Example.Pair chats = (Example.Pair) only(
                PAIRS,
                "{\"chosen\":[" + question + ",{\"role\":\"assistant\",\"content\":\"Blue\"}],\"rejected\":[" + question
                        + ",{\"role\":\"assistant\",\"content\":\"Green\"}],\"margin\":0.5}");
        assertThat(chats.prompt().messages()).containsExactly(ChatMessage.user("Sky?"));
        assertThat(chats.chosen()).isEqualTo("Blue");
        assertThat(chats.rejected()).isEqualTo("Green");
        assertThat(chats.margin()).isEqualTo(0.5);
    }

    @Test
    void ratingsPromptsAndLabelsAreRead() throws IOException {
        Example.Rated rated =
                (Example.Rated) only(List.of(Format.RATING), "{\"prompt\":\"a\",\"completion\":\"b\",\"label\":false}");
        assertThat(rated.liked()).isFalse();
        Example.Asked asked =
                (Example.Asked) only(List.of(Format.PROMPT), "{\"prompt\":\"2+2\",\"solution\":4,\"level\":\"easy\"}");
        assertThat(asked.data()).containsExactly(Map.entry("solution", "4"), Map.entry("level", "easy"));
        assertThat(((Example.Labelled) only(LABELS, "{\"text\":\"a\",\"label\":1}")).labels())
                .containsExactly("1");
        assertThat(((Example.Labelled) only(LABELS, "{\"text\":\"a\",\"labels\":[\"x\",\"y\"]}")).labels())
                .containsExactly("x", "y");
    }

    // ---- files ------------------------------------------------------------------------------------------------------

    @Test
    void csvIsReadAsRfc4180HasIt() throws IOException {
        Data data = read(
                LABELS,
                "data.csv",
                "\uFEFFtext,label\r\n\"Comma, quote \"\" and\r\nline break\",spam\r\nplain,ham\r\nonly one\r\n\"\",ham\r\n");

        assertThat(data.training())
                .extracting(example -> ((Example.Labelled) example).text())
                .containsExactly("Comma, quote \" and\r\nline break", "plain");
        assertThat(data.training())
                .extracting(example -> example.origin().place().at())
                .containsExactly(2L, 4L);
        assertThat(mistakes.first())
                .anySatisfy(said ->
                        assertThat(said).contains("data.csv:5: it has 1 values for the 2 columns [text, label]"))
                .anySatisfy(said -> assertThat(said).contains("data.csv:6: column 'text' is empty"));
    }

    @Test
    void aQuoteThatIsNeverClosedIsNoCsv() {
        assertThatThrownBy(() -> read(LABELS, "data.csv", "text,label\n\"open,ham\n"))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("it is not CSV (RFC 4180)");
        assertThatThrownBy(() -> read(LABELS, "data.csv", "text,text\na,b\n"))
                .hasMessageContaining("data.csv:1: the first line must name each column once");
    }

    @Test
    void plainTextIsDocumentsByBlankLinesOrByLine() throws IOException {
        String text = "One\ntwo\n\n\nThree\n";
        assertThat(read(CHATS, "data.txt", text).training())
                .extracting(example -> ((Example.Text) example).text())
                .containsExactly("One\ntwo", "Three");
        assertThat(read(CHATS, "data.txt", text, "text_unit", "line").training())
                .hasSize(3);
        assertThat(read(CHATS, "data.txt", text, "text_unit", "file").training())
                .extracting(example -> ((Example.Text) example).text())
                .containsExactly("One\ntwo\n\n\nThree");
    }

    @Test
    void aListOfObjectsIsReadFromJson() throws IOException {
        assertThat(read(CHATS, "data.json", "[{\"text\":\"a\"},\n{\"text\":\"b\"}]")
                        .training())
                .hasSize(2);
        assertThatThrownBy(() -> read(CHATS, "data.json", "[{\"text\":\"a\"},\n{\"text\" \"b\"}]"))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("data.json:2: it is not JSON");
    }

    @Test
    void brokenLinesAreNamedAndTheOthersAreRead() throws IOException {
        byte[] wrongByte = {'{', '"', (byte) 0xFF, '"', '}', '\n'};
        byte[] before = "{\"text\":\"a\"}\n{\"text\":\n5\n{\"text\":\"a\",\"text\":\"b\"}\n{\"text\":\"x\"} more\n"
                .getBytes(StandardCharsets.UTF_8);
        byte[] all = new byte[before.length + wrongByte.length];
        System.arraycopy(before, 0, all, 0, before.length);
        System.arraycopy(wrongByte, 0, all, before.length, wrongByte.length);
        Data data = readBytes(CHATS, "data.jsonl", all);

        assertThat(data.training()).hasSize(1);
        assertThat(mistakes.byKind()).isEqualTo(Map.of("broken-json", 3L, "wrong-type", 1L, "not-utf-8", 1L));
        assertThat(mistakes.first())
                .anySatisfy(said -> assertThat(said).contains("data.jsonl:2: it is not one JSON object"))
                .anySatisfy(said -> assertThat(said).contains("data.jsonl:3: it must be an object of columns"))
                .anySatisfy(said -> assertThat(said).contains("data.jsonl:4:").contains("uplicate"))
                .anySatisfy(said -> assertThat(said).contains("data.jsonl:6: it is not UTF-8"));
    }

    // ---- mistakes ---------------------------------------------------------------------------------------------------

    @Test
    void anUnknownColumnIsNamedWithThoseThatAreThere() {
        assertThatThrownBy(() -> read(LABELS, "data.csv", "body,category\na,b\n"))
                .isInstanceOf(DataException.class)
                .hasMessageContaining(
                        "data.csv:2: stage sft needs the columns text + labels, or text + label; there are"
                                + " [body, category]")
                .hasMessageContaining("columns: {text: body}");
        assertThatThrownBy(() -> read(LABELS, "data.csv", "body,category\na,b\n", "columns", "{text: bdoy}"))
                .hasMessageContaining("columns says that text is in 'bdoy'")
                .hasMessageContaining("did you mean 'body'?");
    }

    @Test
    void columnsOfOtherNamesAreMapped() throws IOException {
        Data data = read(LABELS, "data.csv", "body,category\na,b\n", "columns", "{text: body, label: category}");
        assertThat(((Example.Labelled) data.training().get(0)).labels()).containsExactly("b");
    }

    @Test
    void rolesOutOfOrderAreNamed() throws IOException {
        assertThat(mistake(
                        CHATS,
                        "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"user\",\"content\":\"b\"}]}"))
                .contains("'messages' has user at place 2 of [user, user]")
                .contains("take turns");
        assertThat(mistake(CHATS, "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}"))
                .contains("must end with the assistant");
        assertThat(mistake(CHATS, "{\"messages\":[{\"role\":\"bot\",\"content\":\"a\"}]}"))
                .contains("messages[0] has role \"bot\"; roles are system, user, assistant and tool");
        assertThat(mistake(CHATS, "{\"messages\":[{\"role\":\"user\",\"content\":[]}]}"))
                .contains("messages[0].content' must be text");
    }

    @Test
    void pairsOfEqualAnswersAndWrongTypesAreNamed() throws IOException {
        assertThat(mistake(PAIRS, "{\"prompt\":\"a\",\"chosen\":\"b\",\"rejected\":\"b\"}"))
                .contains("'chosen' and 'rejected' are equal");
        assertThat(mistake(PAIRS, "{\"prompt\":\"a\",\"chosen\":5,\"rejected\":\"b\"}"))
                .contains("'chosen' must be text, but is 5");
        assertThat(mistake(PAIRS, "{\"chosen\":\"abc\",\"rejected\":\"xyz\"}"))
                .contains("nothing in common that could be their prompt");
        assertThat(mistake(List.of(Format.RATING), "{\"prompt\":\"a\",\"completion\":\"b\",\"label\":\"maybe\"}"))
                .contains("'label' must be true or false, but is \"maybe\"");
    }

    @Test
    void mistakesStopARunUnlessTheyAreSkipped() throws IOException {
        read(CHATS, "data.jsonl", "{\"text\":\"a\"}\n{\"text\":\"\"}\n{\"text\":5}\n");

        assertThatThrownBy(() -> mistakes.check(false))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("2 examples cannot be used; nothing was started")
                .hasMessageContaining("data.jsonl:2:")
                .hasMessageContaining("data.jsonl:3:")
                .hasMessageContaining("--skip-invalid");
        mistakes.check(true);
    }

    @Test
    void onlyTheFirstMistakesAreListedButAllAreCounted() throws IOException {
        Mistakes few = new Mistakes(2);
        Path file = Files.writeString(directory.resolve("data.jsonl"), "5\n".repeat(7));
        Map<String, String> flags = Map.of("stage", "sft", "train_data", file.toString());
        new DataReader(Recipe.read(Optional.empty(), flags), CHATS, few).read();

        assertThat(few.first()).hasSize(2);
        assertThatThrownBy(() -> few.check(false)).hasMessageContaining("and 5 more: {wrong-type=7}");
    }

    @Test
    void sourcesThatAreNotThereAreNamed() {
        assertThatThrownBy(() -> readNamed(CHATS, "absent.jsonl"))
                .hasMessageContaining("There is no data file absent.jsonl");
        assertThatThrownBy(() -> readNamed(CHATS, "builtin:nothing"))
                .hasMessageContaining("There is no builtin:nothing; there are")
                .hasMessageContaining("grammar-corrections");
        assertThatThrownBy(() -> read(CHATS, "data.parquet", "x")).hasMessageContaining("--data-format");
        assertThatThrownBy(() -> readNamed(CHATS, "kafka:tidemill.rounds"))
                .hasMessageContaining("is no topic that training reads");
    }

    // ---- split ------------------------------------------------------------------------------------------------------

    @Test
    void examplesOfOneGroupStayOnOneSideOfTheSplit() throws IOException {
        StringBuilder rows = new StringBuilder();
        for (int i = 0; i < 400; i++) {
            rows.append("{\"text\":\"t")
                    .append(i)
                    .append("\",\"group_id\":\"g")
                    .append(i / 4)
                    .append("\"}\n");
        }
        Data data = read(CHATS, "data.jsonl", rows.toString(), "eval_split", "0.25");

        assertThat(data.training().size() + data.evaluation().size()).isEqualTo(400);
        assertThat(data.evaluation()).hasSizeBetween(60, 140);
        List<Integer> heldOut = groups(data.evaluation()).distinct().toList();
        assertThat(groups(data.training())).doesNotContainAnyElementsOf(heldOut);
    }

    /** Four texts that follow each other are a group. */
    private static Stream<Integer> groups(List<Example> examples) {
        return examples.stream()
                .map(example -> Integer.parseInt(((Example.Text) example).text().substring(1)) / 4);
    }

    @Test
    void theDigestTellsOtherData() throws IOException {
        String one = read(CHATS, "data.jsonl", "{\"text\":\"a\"}\n").digest();
        assertThat(read(CHATS, "data.jsonl", "{\"text\":\"a\"}\n").digest()).isEqualTo(one);
        assertThat(read(CHATS, "data.jsonl", "{\"text\":\"b\"}\n").digest()).isNotEqualTo(one);
    }

    @Test
    void everyBuiltinSetIsReadByAFormat() throws IOException {
        for (String name : BuiltinSource.told().keySet()) {
            Data data = readNamed(List.of(Format.values()), "builtin:" + name, "max_train_samples", "5");
            assertThat(data.training()).as(name).hasSize(5);
            assertThat(mistakes.first()).as(name).isEmpty();
        }
    }

    /** Whatever a file holds, it is read or refused in words: 500 seeded files of broken JSON and CSV. */
    @Test
    void noFileOfAnyBytesBreaksTheReading() throws IOException {
        String letters = "{}[]\",:\\\n\r text label a1 \u00e4";
        for (int seed = 0; seed < 500; seed++) {
            Random random = new Random(seed);
            StringBuilder content = new StringBuilder(random.nextBoolean() ? "text,label\n" : "");
            random.ints(random.nextInt(60), 0, letters.length()).forEach(i -> content.append(letters.charAt(i)));
            String name = List.of("a.jsonl", "a.csv", "a.json", "a.txt").get(seed % 4);
            try {
                read(List.of(Format.TEXT_LABEL, Format.TEXT), name, content.toString());
            } catch (DataException refused) {
                assertThat(refused.getMessage()).as("seed " + seed).contains(name);
            }
        }
    }
}
