package io.tidemill.preprocess.tokenize;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Timestamps;
import io.tidemill.preprocess.outcome.Erased;
import io.tidemill.preprocess.outcome.Origin;
import io.tidemill.preprocess.outcome.Outcome;
import io.tidemill.preprocess.outcome.Outcomes;
import io.tidemill.preprocess.outcome.Refusal;
import io.tidemill.proto.Ids;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.v1.TokenSequence;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/** Text to a token sequence under its source id, with split, weight and provenance. Keeps no state. */
final class TokenizeProcessor implements Processor<String, Material, String, Outcome<TokenSequence>> {
    static final String STAGE = "tokenize";

    private final Tokenization tokenization;
    private final TokenizeSettings settings;
    private final Erased erased;
    private final Outcomes outcomes;
    private ProcessorContext<String, Outcome<TokenSequence>> context;

    TokenizeProcessor(Tokenization tokenization, TokenizeSettings settings, Erased erased, Outcomes outcomes) {
        this.erased = erased;
        this.tokenization = tokenization;
        this.settings = settings;
        this.outcomes = outcomes;
    }

    @Override
    public void init(ProcessorContext<String, Outcome<TokenSequence>> context) {
        this.context = context;
    }

    @Override
    public void process(Record<String, Material> input) {
        Material material = input.value();
        Optional<Record<String, Outcome<TokenSequence>>> gone = erased.refuse(
                STAGE, material::keys, material.id(), Origin.read(input.headers()), input.timestamp(), context);
        if (gone.isPresent()) {
            context.forward(gone.get());
            return;
        }
        Outcome<TokenSequence> outcome;
        try {
            outcome = new Outcome.Passed<>(sequence(material, Timestamps.fromMillis(input.timestamp())));
            outcomes.accepted(STAGE);
        } catch (UnusableTextException e) {
            Refusal refusal = new Refusal(STAGE, e.code(), e.getMessage());
            outcomes.refused(refusal);
            Instant now = Instant.ofEpochMilli(context.currentSystemTimeMs());
            outcome = new Outcome.Refused<>(
                    Origin.read(input.headers()).refuse(refusal, material.message(), now, material.id()));
        }
        context.forward(new Record<>(material.id(), outcome, input.timestamp(), new RecordHeaders()));
    }

    private TokenSequence sequence(Material material, Timestamp ingestTime) throws UnusableTextException {
        Encoded encoded = material.encode(tokenization);
        if (encoded.ids().length == 0 || encoded.learned() == 0) {
            throw new UnusableTextException(
                    "empty-mask",
                    "none of the " + encoded.ids().length + " tokens of the " + material.kind()
                            + " is to be learned by tokenizer " + tokenization.fingerprint());
        }
        TokenSequence.Builder building = TokenSequence.newBuilder()
                .setExampleId(Ids.exampleId(
                        material.exampleParents(), material.objective().name(), 0))
                .addAllIds(Arrays.stream(encoded.ids()).boxed().toList())
                .setLossMask(ByteString.copyFrom(encoded.lossMask()))
                .setSplit(material.split(settings.split()))
                .setWeight(material.weight())
                .setProvenance(material.provenance(ingestTime))
                .setObjective(material.objective())
                .setTokenizerFingerprint(tokenization.fingerprint())
                .setTextBytes(encoded.textBytes());
        material.addTarget(building);
        TokenSequence sequence = building.build();
        int bytes = sequence.getSerializedSize();
        if (bytes > TopicCatalogue.MAX_SOURCE_RECORD_BYTES) {
            throw new UnusableTextException(
                    "too-long",
                    "the " + material.kind() + " is " + bytes + " bytes as " + encoded.ids().length
                            + " tokens, at most " + TopicCatalogue.MAX_SOURCE_RECORD_BYTES
                            + " fit a record; send it in parts with one group_id");
        }
        return sequence;
    }
}
