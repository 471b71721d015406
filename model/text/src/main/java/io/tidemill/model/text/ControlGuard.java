package io.tidemill.model.text;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * Keeps control strings that people typed apart from those that the template writes.
 *
 * <p>Before rendering, each control string inside a content is replaced by one private-use character that occurs in no
 * content; after rendering, what still spells a control token is the template's, and the characters turn back into
 * plain text. A template that counts characters or escapes them sees the stand-in. Conversations without such strings, nearly all, take the short way and are encoded in one piece.
 */
final class ControlGuard {
    private static final int FIRST_PRIVATE_USE = 0xF0000;
    private static final int LAST_PRIVATE_USE = 0xFFFFD;

    private final Tokenizer tokenizer;
    private final List<String> controls;
    private final Pattern anyControl;
    private final int firstStandIn;

    private ControlGuard(Tokenizer tokenizer, List<String> controls, Pattern anyControl, int firstStandIn) {
        this.tokenizer = tokenizer;
        this.controls = controls;
        this.anyControl = anyControl;
        this.firstStandIn = firstStandIn;
    }

    /** A guard for these messages, whose stand-ins none of them contains. */
    static ControlGuard of(Tokenizer tokenizer, Conversation conversation) {
        List<String> controls = tokenizer.controls();
        Set<Integer> used = new HashSet<>();
        changed(conversation, text -> {
            text.codePoints().filter(point -> point >= FIRST_PRIVATE_USE).forEach(used::add);
            return text;
        });
        int first = FIRST_PRIVATE_USE;
        while (occursAny(used, first, controls.size())) {
            first += controls.size();
        }
        if (first + controls.size() > LAST_PRIVATE_USE) {
            throw new IllegalArgumentException("Text of the conversation uses nearly every private-use character;"
                    + " control strings in it cannot be told from the template's. Remove them from the text.");
        }
        return new ControlGuard(tokenizer, controls, tokenizer.anyControl(), first);
    }

    private static boolean occursAny(Set<Integer> used, int first, int count) {
        return used.stream().anyMatch(point -> point >= first && point < first + count);
    }

    Conversation disarm(Conversation conversation) {
        return changed(conversation, this::disarm);
    }

    /** The conversation with every text of it changed, but for roles. */
    private static Conversation changed(Conversation conversation, UnaryOperator<String> change) {
        return new Conversation(
                conversation.messages().stream()
                        .map(message -> new ChatMessage(
                                message.role(),
                                change.apply(message.content()),
                                TemplateValues.mapped(message.more(), "a chat message", change)))
                        .toList(),
                conversation.tools().stream()
                        .map(tool -> TemplateValues.mapped(tool, "tools", change))
                        .toList(),
                TemplateValues.mapped(conversation.options(), "options", change));
    }

    private String disarm(String content) {
        return anyControl
                .matcher(content)
                .replaceAll(match -> Character.toString(firstStandIn + controls.indexOf(match.group())));
    }

    /** Ids of a part of what was rendered from disarmed messages. */
    int[] encode(String rendered) {
        if (rendered.codePoints().noneMatch(this::isStandIn)) {
            return tokenizer.encodeTemplate(rendered);
        }
        List<int[]> pieces = new ArrayList<>();
        Matcher control = anyControl.matcher(rendered);
        int start = 0;
        while (control.find()) {
            pieces.add(tokenizer.encode(arm(rendered.substring(start, control.start()))));
            pieces.add(new int[] {tokenizer.id(control.group()).orElseThrow()});
            start = control.end();
        }
        pieces.add(tokenizer.encode(arm(rendered.substring(start))));
        return pieces.stream().flatMapToInt(IntStream::of).toArray();
    }

    private String arm(String text) {
        StringBuilder armed = new StringBuilder();
        text.codePoints().forEach(point -> {
            if (isStandIn(point)) {
                armed.append(controls.get(point - firstStandIn));
            } else {
                armed.appendCodePoint(point);
            }
        });
        return armed.toString();
    }

    private boolean isStandIn(int point) {
        return point >= firstStandIn && point < firstStandIn + controls.size();
    }
}
