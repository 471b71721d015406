package io.tidemill.model.text;

import io.tidemill.model.text.jinja.Rendering;
import io.tidemill.model.text.jinja.Rendering.Span;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.stream.IntStream;

/**
 * Conversations as a model's token ids: prompts to continue, answers to score, and whole conversations to learn from.
 *
 * <p>The assistant's part is what the template marks with <code>{% generation %}</code>. A template without such marks
 * is rendered prefix by prefix: what an answer adds to the rendering that asked for it, up to its end-of-turn token, is
 * the assistant's. The text is cut there before it is encoded, so that {@code prompt} followed by {@code answer} is how
 * {@code conversation} begins, token for token, as it is when a model generates. Safe for use by several threads.
 */
public final class ChatEncoder {
    /** What stands before an answer whose prompt nobody gave; nothing of it is in the result. */
    private static final List<ChatMessage> SOME_QUESTION = List.of(ChatMessage.user("?"));

    private final Tokenizer tokenizer;
    private final ChatTemplate template;

    public ChatEncoder(Tokenizer tokenizer, ChatTemplate template) {
        this.tokenizer = tokenizer;
        this.template = template;
    }

    /** Ids of the conversation so far and the start of an answer, for the model to go on. */
    public int[] prompt(List<ChatMessage> messages) {
        return prompt(Conversation.of(messages));
    }

    /** The same with tools and the template's own options. */
    public int[] prompt(Conversation conversation) {
        ControlGuard guard = ControlGuard.of(tokenizer, conversation);
        return guard.encode(template.render(guard.disarm(conversation), true));
    }

    /** Ids of an answer, from its first token to the end-of-turn token that the template writes after it. */
    public int[] answer(String content) {
        List<ChatMessage> messages = new ArrayList<>(SOME_QUESTION);
        messages.add(ChatMessage.assistant(content));
        ControlGuard guard = ControlGuard.of(tokenizer, Conversation.of(messages));
        Conversation disarmed = guard.disarm(Conversation.of(messages));
        String text = template.render(disarmed, false);
        Span span = answerSpan(disarmed, 1, text);
        return encodeAfter(guard, text.substring(0, span.start()), text.substring(span.start(), span.end()));
    }

    /** The token that the template writes after an answer. */
    public int endOfTurn() {
        int[] answer = answer("a");
        return answer[answer.length - 1];
    }

    /** Ids of a whole conversation, with a mask over what the assistant said. */
    public EncodedChat conversation(List<ChatMessage> messages) {
        return conversation(Conversation.of(messages));
    }

    /** The same with tools and the template's own options. */
    public EncodedChat conversation(Conversation conversation) {
        List<ChatMessage> messages = conversation.messages();
        if (messages.stream().noneMatch(ChatMessage::fromAssistant)) {
            throw new IllegalArgumentException(
                    "A conversation to learn from needs a message of the assistant, but its roles are "
                            + messages.stream().map(ChatMessage::role).toList());
        }
        ControlGuard guard = ControlGuard.of(tokenizer, conversation);
        Conversation disarmed = guard.disarm(conversation);
        Rendering rendering = template.rendering(disarmed, false);
        if (rendering.markAside()) {
            throw new IllegalArgumentException(template.name()
                    + " has {% generation %} inside a macro, a call or a block that collects text, so its place in the"
                    + " whole is not known. Put the mark around the place where that text is written.");
        }
        List<Span> spans = template.hasGenerationMarks(conversation)
                ? rendering.generated()
                : answerSpans(disarmed, rendering.text());
        return encode(guard, rendering.text(), spans);
    }

    private EncodedChat encode(ControlGuard guard, String text, List<Span> spans) {
        List<int[]> pieces = new ArrayList<>();
        List<Boolean> learns = new ArrayList<>();
        int at = 0;
        for (Span span : spans) {
            pieces.add(encodeAfter(guard, text.substring(0, at), text.substring(at, span.start())));
            learns.add(false);
            pieces.add(encodeAfter(guard, text.substring(0, span.start()), text.substring(span.start(), span.end())));
            learns.add(true);
            at = span.end();
        }
        pieces.add(encodeAfter(guard, text.substring(0, at), text.substring(at)));
        learns.add(false);

        int[] ids = pieces.stream().flatMapToInt(IntStream::of).toArray();
        boolean[] mask = new boolean[ids.length];
        int start = 0;
        boolean any = false;
        for (int i = 0; i < pieces.size(); i++) {
            int end = start + pieces.get(i).length;
            Arrays.fill(mask, start, end, learns.get(i));
            any |= learns.get(i) && end > start;
            start = end;
        }
        if (!any) {
            throw new IllegalArgumentException(template.name()
                    + " marks nothing of this conversation as the assistant's; there is nothing to learn"
                    + " from. Put {% generation %} around what it writes for the assistant.");
        }
        return new EncodedChat(ids, mask);
    }

    private List<Span> answerSpans(Conversation conversation, String text) {
        return IntStream.range(0, conversation.messages().size())
                .filter(i -> conversation.messages().get(i).fromAssistant())
                .mapToObj(i -> answerSpan(conversation, i, text))
                .toList();
    }

    /** Where message {@code index}, an answer, stands in the rendering of all: text and end of turn. */
    private Span answerSpan(Conversation conversation, int index, String text) {
        List<ChatMessage> messages = conversation.messages();
        String asked = template.render(conversation.with(messages.subList(0, index)), true);
        String answered = template.render(conversation.with(messages.subList(0, index + 1)), false);
        if (!answered.startsWith(asked) || !text.startsWith(answered)) {
            throw new IllegalArgumentException(template.name()
                    + " writes message " + index + " in another way once the conversation goes on, so the answer cannot"
                    + " be told from the rest. Put {% generation %} around what it writes for the assistant.");
        }
        // A template may end the turn with more, such as a line break; the model is not asked to write that.
        Matcher control = tokenizer.anyControl().matcher(answered);
        int end = answered.length();
        for (int from = asked.length(); control.find(from); from = control.end()) {
            end = control.end();
        }
        return new Span(asked.length(), end);
    }

    /**
     * Ids of a part of the text. Byte-level vocabularies encode it alone; others may write a part differently at the
     * start of a text than inside it, so there the part is what it adds to the text before it.
     */
    private int[] encodeAfter(ControlGuard guard, String before, String part) {
        if (part.isEmpty()) {
            return new int[0];
        }
        if (tokenizer.isByteLevel() || before.isEmpty()) {
            return guard.encode(part);
        }
        int[] first = guard.encode(before);
        int[] both = guard.encode(before + part);
        boolean extended = both.length >= first.length && Arrays.equals(first, 0, first.length, both, 0, first.length);
        return extended ? Arrays.copyOfRange(both, first.length, both.length) : guard.encode(part);
    }
}
