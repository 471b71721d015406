package io.tidemill.auditor;

import io.tidemill.proto.v1.KeptRecord;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;

/** Proves that what versions keep of their slices is of their slices, and nothing that they were told to forget. */
final class Copies {
    private final Course course;
    private final Erasures erasures;
    private final Topics topics;
    private final int vocabulary;
    private final Findings findings;

    Copies(Course course, Erasures erasures, Topics topics, int vocabulary, Findings findings) {
        this.course = course;
        this.erasures = erasures;
        this.topics = topics;
        this.vocabulary = vocabulary;
        this.findings = findings;
    }

    void check(Store store) {
        for (String version : course.ancestry()) {
            store.keptRecords(version, kept -> check(version, kept));
        }
    }

    private void check(String version, KeptRecord kept) {
        String place = kept.getTopic() + "-" + kept.getPartition() + ":" + kept.getOffset();
        if (course.announced().get(version).getLineage().getSlicesList().stream()
                .noneMatch(range -> range.getTopic().equals(kept.getTopic())
                        && range.getPartition() == kept.getPartition()
                        && range.getFromOffset() <= kept.getOffset()
                        && kept.getOffset() < range.getToOffset())) {
            findings.add(version + " keeps a copy of the record at " + place + ", which is not of its slice.");
        }
        Example example = Example.of(record(kept), topics, vocabulary);
        erasures.before(course.announced().get(version), Erasures.names(example))
                .ifPresent(erased -> findings.add(version + " keeps a copy of the record at " + place
                        + ", though its round had been told to forget " + erased + "."));
    }

    /** As it lay in the log. */
    static ConsumerRecord<byte[], byte[]> record(KeptRecord kept) {
        RecordHeaders headers = new RecordHeaders();
        kept.getHeadersList()
                .forEach(header ->
                        headers.add(header.getName(), header.getValue().toByteArray()));
        byte[] value = kept.getValue().toByteArray();
        return new ConsumerRecord<>(
                kept.getTopic(),
                kept.getPartition(),
                kept.getOffset(),
                kept.getTimestamp(),
                TimestampType.NO_TIMESTAMP_TYPE,
                0,
                value.length,
                new byte[0],
                value,
                headers,
                Optional.empty());
    }
}
