package io.tidemill.feedback.gateway;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemill.feedback.answer.Classification;
import io.tidemill.feedback.answer.ClassifierEngine;
import io.tidemill.feedback.answer.EncodedText;
import io.tidemill.feedback.answer.FillMaskEngine;
import io.tidemill.feedback.answer.TextEngine;
import io.tidemill.feedback.loop.Activity;
import io.tidemill.feedback.request.ErrorJson;
import io.tidemill.feedback.request.InvalidRequest;
import io.tidemill.feedback.serving.AnswerQueue;
import io.tidemill.feedback.serving.ServedModel;
import io.tidemill.feedback.web.ClientStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jboss.logging.Logger;

/**
 * From a checked request about texts to what an encoder says of them. All texts of a request are read by one version,
 * whatever is promoted meanwhile; nothing of it is kept.
 */
final class TextGateway {
    private static final Logger LOG = Logger.getLogger(TextGateway.class);

    /** Of one pass, with padding: 8 texts of 512 tokens. It bounds the memory, and how late a client's leaving is seen. */
    private static final int BATCH_TOKENS = 4_096;

    private final Admission admission;
    private final AnswerQueue queue;
    private final Activity activity;

    TextGateway(Admission admission, AnswerQueue queue, Activity activity) {
        this.admission = admission;
        this.queue = queue;
        this.activity = activity;
    }

    /** Starts to classify and returns; everything that can be refused is refused before. */
    void classify(AskedAbout asked, ClientStream client)
            throws AnswerQueue.Full, Admission.NoModel, Admission.UnknownModel, Admission.UnsuitedModel {
        admit(asked, client, ClassifierEngine.class, this::classified);
    }

    /** Starts to fill masks and returns; everything that can be refused is refused before. */
    void fillMask(AskedAbout asked, ClientStream client)
            throws AnswerQueue.Full, Admission.NoModel, Admission.UnknownModel, Admission.UnsuitedModel {
        admit(
                asked,
                client,
                FillMaskEngine.class,
                (engine, texts, wanted) -> filled(engine, texts, asked.most(), wanted));
    }

    private <E extends TextEngine> void admit(AskedAbout asked, ClientStream client, Class<E> kind, Work<E> work)
            throws AnswerQueue.Full, Admission.NoModel, Admission.UnknownModel, Admission.UnsuitedModel {
        long askedNanos = System.nanoTime();
        admission.admit(asked.model(), Optional.empty(), kind, (engine, arm) -> {
            List<EncodedText> texts =
                    asked.texts().stream().map(text -> encode(engine, text)).toList();
            return lease -> read(lease, client, engine, texts, work, askedNanos);
        });
        activity.asked();
    }

    private static EncodedText encode(TextEngine engine, AskedAbout.Text text) {
        try {
            return engine.encode(text.text());
        } catch (IllegalArgumentException e) {
            throw InvalidRequest.value(
                    text.field(), "refused by the model (" + e.getMessage() + ")", "a text that it takes");
        }
    }

    /** Runs on a generating thread. */
    private <E extends TextEngine> void read(
            ServedModel.Lease lease,
            ClientStream client,
            E engine,
            List<EncodedText> texts,
            Work<E> work,
            long askedNanos) {
        String version = engine.version();
        List<ObjectNode> data;
        try (lease) {
            data = work.of(engine, texts, () -> {
                if (client.gone() || queue.closing()) {
                    throw new Stopped();
                }
            });
        } catch (Stopped e) {
            client.json(503, ErrorJson.of("server_error", "stopping", "The service is stopping; ask again shortly."));
            return;
        } catch (RuntimeException | Error e) {
            LOG.errorf(e, "version=%s failed while reading %d texts", version, texts.size());
            activity.failed("read", e);
            client.json(
                    500,
                    ErrorJson.of("server_error", "failed", version + " failed while reading; see the service's log."));
            return;
        }
        activity.read(System.nanoTime() - askedNanos, texts.size());
        client.json(200, TextJson.list(version, data));
    }

    private List<ObjectNode> classified(ClassifierEngine engine, List<EncodedText> texts, Runnable wanted) {
        Classification[] classified = new Classification[texts.size()];
        for (List<Integer> batch : batches(texts)) {
            wanted.run();
            List<Classification> said =
                    engine.classify(batch.stream().map(texts::get).toList());
            for (int i = 0; i < said.size(); i++) {
                classified[batch.get(i)] = said.get(i);
            }
        }
        return IntStream.range(0, texts.size())
                .mapToObj(
                        i -> TextJson.classified(i, classified[i], texts.get(i).truncated()))
                .toList();
    }

    /** Places of the texts, those of like length together, so that little is padded. */
    private static List<List<Integer>> batches(List<EncodedText> texts) {
        List<Integer> shortestFirst = IntStream.range(0, texts.size())
                .boxed()
                .sorted(Comparator.comparingInt(place -> texts.get(place).ids().length))
                .toList();
        List<List<Integer>> batches = new ArrayList<>();
        for (int place : shortestFirst) {
            List<Integer> last = batches.isEmpty() ? List.of() : batches.get(batches.size() - 1);
            if (last.isEmpty() || (last.size() + 1) * texts.get(place).ids().length > BATCH_TOKENS) {
                last = new ArrayList<>();
                batches.add(last);
            }
            last.add(place);
        }
        return batches;
    }

    private List<ObjectNode> filled(FillMaskEngine engine, List<EncodedText> texts, int most, Runnable wanted) {
        List<ObjectNode> filled = new ArrayList<>();
        for (EncodedText text : texts) {
            wanted.run();
            filled.add(TextJson.filled(filled.size(), engine.fill(text, most), text.truncated()));
        }
        return filled;
    }

    /** What is done with the texts of a request, one JSON object for each; {@code wanted} throws once nobody waits. */
    private interface Work<E extends TextEngine> {
        List<ObjectNode> of(E engine, List<EncodedText> texts, Runnable wanted);
    }

    /** The client has gone, or the service stops. */
    private static final class Stopped extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }
}
