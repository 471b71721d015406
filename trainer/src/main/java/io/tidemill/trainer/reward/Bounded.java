package io.tidemill.trainer.reward;

import java.io.ByteArrayOutputStream;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow.Subscription;

/** Reads the body of a response up to a limit, and hangs up beyond it. */
final class Bounded implements BodySubscriber<Bounded.Body> {
    /** @param cut whether there was more */
    @SuppressWarnings("ArrayRecordComponent") // compared by nobody
    record Body(byte[] bytes, boolean cut) {
        /** Its beginning, on one line. */
        String shown(int characters) {
            String text = new String(bytes, StandardCharsets.UTF_8).strip().replaceAll("\\s+", " ");
            if (text.isEmpty()) {
                return "an empty body";
            }
            return text.length() <= characters ? text : text.substring(0, characters) + "…";
        }
    }

    private final int limit;
    private final ByteArrayOutputStream read = new ByteArrayOutputStream();
    private final CompletableFuture<Body> body = new CompletableFuture<>();
    private Subscription subscription;

    Bounded(int limit) {
        this.limit = limit;
    }

    @Override
    public CompletionStage<Body> getBody() {
        return body;
    }

    @Override
    public void onSubscribe(Subscription given) {
        subscription = given;
        given.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
        for (ByteBuffer buffer : buffers) {
            byte[] bytes = new byte[Math.min(buffer.remaining(), limit - read.size())];
            boolean more = buffer.remaining() > bytes.length;
            buffer.get(bytes);
            read.write(bytes, 0, bytes.length);
            if (more) {
                subscription.cancel();
                body.complete(new Body(read.toByteArray(), true));
                return;
            }
        }
    }

    @Override
    public void onError(Throwable failure) {
        body.completeExceptionally(failure);
    }

    @Override
    public void onComplete() {
        body.complete(new Body(read.toByteArray(), false));
    }
}
