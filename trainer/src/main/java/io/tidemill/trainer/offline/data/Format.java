package io.tidemill.trainer.offline.data;

import io.tidemill.model.text.ChatMessage;
import io.tidemill.trainer.offline.data.Example.Origin;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** The formats of data sets that TRL, LLaMA-Factory and transformers' examples read, told by their columns. */
public enum Format {
    /** {@code text}. */
    TEXT(List.of("text")) {
        @Override
        Example read(Origin origin, Fields fields) throws Mistake {
            return new Example.Text(origin, fields.text("text"));
        }
    },
    /** {@code messages}: a conversation. */
    MESSAGES(List.of("messages")) {
        @Override
        Example read(Origin origin, Fields fields) throws Mistake {
            return chat(origin, "messages", fields.messages("messages"));
        }
    },
    /** {@code conversations}: ShareGPT's. */
    CONVERSATIONS(List.of("conversations")) {
        @Override
        Example read(Origin origin, Fields fields) throws Mistake {
            return chat(origin, "conversations", fields.messages("conversations"));
        }
    },
    /** {@code prompt} and {@code completion}, texts or messages. */
    PROMPT_COMPLETION(List.of("prompt", "completion")) {
        @Override
        Example read(Origin origin, Fields fields) throws Mistake {
            if (fields.isMessages("completion") && fields.messages("completion").size() > 1) {
                List<ChatMessage> all = new ArrayList<>(prompt(fields).messages());
                all.addAll(fields.messages("completion"));
                return chat(origin, "prompt with completion", all);
            }
            Prompt prompt = prompt(fields);
            return new Example.Completion(origin, prompt, answer(fields, "completion", prompt));
        }
    },
    /** {@code instruction}, {@code input} (may be missing or empty), {@code output}: Alpaca's. */
    INSTRUCTION(List.of("instruction", "output")) {
        @Override
        Example read(Origin origin, Fields fields) throws Mistake {
            List<ChatMessage> messages = new ArrayList<>();
            fields.optionalText("system").ifPresent(system -> messages.add(ChatMessage.system(system)));
            String input = fields.optionalText("input").map(text -> "\n" + text).orElse("");
            messages.add(ChatMessage.user(fields.text("instruction") + input));
            return new Example.Completion(origin, Prompt.of(messages), fields.text("output"));
        }
    },
    /** {@code chosen} and {@code rejected}, with or without {@code prompt}, texts or messages. */
    PREFERENCE(List.of("chosen", "rejected")) {
        @Override
        Example read(Origin origin, Fields fields) throws Mistake {
            return Preferences.read(origin, fields);
        }
    },
    /** {@code prompt}, {@code completion} and {@code label}, true or false. */
    RATING(List.of("prompt", "completion", "label")) {
        @Override
        Example read(Origin origin, Fields fields) throws Mistake {
            Prompt prompt = prompt(fields);
            return new Example.Rated(
                    origin, prompt, answer(fields, "completion", prompt), fields.truth("label"), weight(fields));
        }
    },
    /** {@code prompt}, and any other columns for rewards. */
    PROMPT(List.of("prompt")) {
        @Override
        Example read(Origin origin, Fields fields) throws Mistake {
            return new Example.Asked(origin, prompt(fields), fields.others(Set.of("prompt")));
        }
    },
    /** {@code text} and {@code label}. */
    TEXT_LABEL(List.of("text", "label")) {
        @Override
        Example read(Origin origin, Fields fields) throws Mistake {
            return labelled(origin, fields, "label");
        }
    },
    /** {@code text} and {@code labels}, a list. */
    TEXT_LABELS(List.of("text", "labels")) {
        @Override
        Example read(Origin origin, Fields fields) throws Mistake {
            return labelled(origin, fields, "labels");
        }
    };

    private final List<String> columns;

    Format(List<String> columns) {
        this.columns = columns;
    }

    /** Columns that must be there. */
    public List<String> columns() {
        return columns;
    }

    abstract Example read(Origin origin, Fields fields) throws Mistake;

    static Prompt prompt(Fields fields) throws Mistake {
        if (!fields.isMessages("prompt")) {
            return Prompt.of(fields.text("prompt"));
        }
        List<ChatMessage> messages = fields.messages("prompt");
        Roles.check("prompt", messages);
        if (Roles.last(messages).fromAssistant()) {
            throw new Mistake(
                    "wrong-role", "prompt ends with the assistant; it must end with the message that is answered");
        }
        return Prompt.of(messages);
    }

    /** A text, or one message of the assistant. */
    static String answer(Fields fields, String column, Prompt prompt) throws Mistake {
        if (!fields.isMessages(column)) {
            if (prompt.isChat()) {
                throw new Mistake(
                        "wrong-type",
                        "prompt holds messages but '" + column + "' text; write both as messages, or both as text");
            }
            return fields.text(column);
        }
        List<ChatMessage> messages = fields.messages(column);
        if (messages.size() != 1 || !messages.get(0).fromAssistant()) {
            throw new Mistake(
                    "wrong-role",
                    "'" + column + "' must be one message of the assistant, but its roles are " + Roles.of(messages));
        }
        if (!prompt.isChat()) {
            throw new Mistake(
                    "wrong-type",
                    "prompt holds text but '" + column + "' messages; write both as messages, or both as text");
        }
        return notEmpty(column, messages.get(0).content());
    }

    static String notEmpty(String column, String text) throws Mistake {
        if (text.isBlank()) {
            throw new Mistake("empty", "'" + column + "' says nothing; fill it, or leave the example out");
        }
        return text;
    }

    static double weight(Fields fields) throws Mistake {
        double weight = fields.number("weight", 1);
        if (weight < 0) {
            throw new Mistake("wrong-value", "'weight' must be 0 or more, but is " + weight);
        }
        return weight;
    }

    private static Example chat(Origin origin, String column, List<ChatMessage> messages) throws Mistake {
        Roles.check(column, messages);
        if (!Roles.last(messages).fromAssistant()) {
            throw new Mistake(
                    "wrong-role",
                    "'" + column + "' must end with the assistant, whose answers are learned, but its roles are "
                            + Roles.of(messages));
        }
        for (ChatMessage message : messages) {
            notEmpty(column, message.content());
        }
        return new Example.Chat(origin, messages);
    }

    private static Example labelled(Origin origin, Fields fields, String column) throws Mistake {
        return new Example.Labelled(
                origin,
                fields.text("text"),
                fields.optionalText("text_pair"),
                fields.labels(column),
                column.equals("labels"));
    }
}
