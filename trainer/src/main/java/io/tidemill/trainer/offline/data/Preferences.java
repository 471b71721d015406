package io.tidemill.trainer.offline.data;

import io.tidemill.model.text.ChatMessage;
import io.tidemill.trainer.offline.data.Example.Origin;
import java.util.List;

/** Pairs as TRL's preference data sets have them, the prompt explicit or the common beginning of both answers. */
final class Preferences {
    private Preferences() {}

    static Example read(Origin origin, Fields fields) throws Mistake {
        boolean chat = fields.isMessages("chosen");
        if (chat != fields.isMessages("rejected")) {
            throw new Mistake("wrong-type", "one of 'chosen' and 'rejected' holds messages and the other text");
        }
        double margin = fields.number("margin", 0);
        double weight = Format.weight(fields);
        if (fields.has("prompt")) {
            Prompt prompt = Format.prompt(fields);
            String chosen = answer(fields, "chosen", prompt);
            String rejected = answer(fields, "rejected", prompt);
            return pair(origin, prompt, chosen, rejected, margin, weight);
        }
        return chat
                ? fromChats(origin, fields.messages("chosen"), fields.messages("rejected"), margin, weight)
                : fromTexts(origin, fields.text("chosen"), fields.text("rejected"), margin, weight);
    }

    /** Some data sets give the prompt and repeat it in both answers. */
    private static String answer(Fields fields, String column, Prompt prompt) throws Mistake {
        if (prompt.isChat() && fields.isMessages(column)) {
            List<ChatMessage> messages = fields.messages(column);
            int n = prompt.messages().size();
            if (messages.size() == n + 1
                    && messages.subList(0, n).equals(prompt.messages())
                    && messages.get(n).fromAssistant()) {
                return Format.notEmpty(column, messages.get(n).content());
            }
        }
        return Format.answer(fields, column, prompt);
    }

    private static Example fromChats(
            Origin origin, List<ChatMessage> chosen, List<ChatMessage> rejected, double margin, double weight)
            throws Mistake {
        int last = chosen.size() - 1;
        if (last < 1
                || rejected.size() != chosen.size()
                || !chosen.subList(0, last).equals(rejected.subList(0, last))
                || !chosen.get(last).fromAssistant()
                || !rejected.get(last).fromAssistant()) {
            throw new Mistake(
                    "wrong-role",
                    "'chosen' " + Roles.of(chosen) + " and 'rejected' " + Roles.of(rejected)
                            + " must be one conversation but for the assistant's last message; or give 'prompt'");
        }
        List<ChatMessage> prompt = chosen.subList(0, last);
        Roles.check("chosen", chosen);
        return pair(
                origin,
                Prompt.of(prompt),
                Format.notEmpty("chosen", chosen.get(last).content()),
                Format.notEmpty("rejected", rejected.get(last).content()),
                margin,
                weight);
    }

    /** As TRL's {@code extract_prompt}: up to the first difference, a space before it left to the answers. */
    private static Example fromTexts(Origin origin, String chosen, String rejected, double margin, double weight)
            throws Mistake {
        if (chosen.equals(rejected)) {
            throw equalAnswers();
        }
        int same = 0;
        while (same < Math.min(chosen.length(), rejected.length()) && chosen.charAt(same) == rejected.charAt(same)) {
            same++;
        }
        if (same > 0 && chosen.charAt(same - 1) == ' ') {
            same--;
        }
        if (same > 0 && Character.isHighSurrogate(chosen.charAt(same - 1))) {
            same--;
        }
        if (chosen.substring(0, same).isBlank()) {
            throw new Mistake(
                    "missing",
                    "'chosen' and 'rejected' begin with nothing in common that could be their prompt; give 'prompt'");
        }
        return pair(
                origin,
                Prompt.of(chosen.substring(0, same)),
                Format.notEmpty("chosen", chosen.substring(same)),
                Format.notEmpty("rejected", rejected.substring(same)),
                margin,
                weight);
    }

    private static Example pair(
            Origin origin, Prompt prompt, String chosen, String rejected, double margin, double weight) throws Mistake {
        if (chosen.equals(rejected)) {
            throw equalAnswers();
        }
        return new Example.Pair(origin, prompt, chosen, rejected, margin, weight);
    }

    private static Mistake equalAnswers() {
        return new Mistake(
                "equal-answers", "'chosen' and 'rejected' are equal, so nothing is preferred; leave the pair out");
    }
}
