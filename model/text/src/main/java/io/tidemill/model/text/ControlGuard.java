package io.tidemill.model.text;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * Keeps control strings that people typed apart from those that the template writes.
 *
 * <p>Before rendering, each control string inside a content is replaced by one private-use character that occurs in no
 * content; after rendering, what still spells a control token is the template's, and the characters turn back into
 * plain text. Conversations without such strings, nearly all, take the short way and are encoded in one piece.
 */
final class ControlGuard {
    private static final int FIRST_PRIVATE_USE = 0xF0000;

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
    static ControlGuard of(Tokenizer tokenizer, List<ChatMessage> messages) {
        List<String> controls = tokenizer.controls();
        int first = FIRST_PRIVATE_USE;
        while (occursAny(messages, first, controls.size())) {
            first += controls.size();
        }
        return new ControlGuard(tokenizer, controls, tokenizer.anyControl(), first);
    }

    private static boolean occursAny(List<ChatMessage> messages, int first, int count) {
        return messages.stream()
                .flatMapToInt(message -> message.content().codePoints())
                .anyMatch(point -> point >= first && point < first + count);
    }

    List<ChatMessage> disarm(List<ChatMessage> messages) {
        return messages.stream()
                .map(message -> new ChatMessage(message.role(), disarm(message.content())))
                .toList();
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
