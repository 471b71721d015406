package io.tidemill.preprocess.stream;

import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.streams.errors.DeserializationExceptionHandler;
import org.apache.kafka.streams.errors.ErrorHandlerContext;
import org.apache.kafka.streams.errors.ProcessingExceptionHandler;
import org.apache.kafka.streams.errors.ProductionExceptionHandler;
import org.apache.kafka.streams.processor.api.Record;
import org.jboss.logging.Logger;

/**
 * The net under the operators, which refuse bad records themselves: one record that nobody foresaw is logged with its
 * position, counted and passed over, and the stream goes on. What Kafka or a store cannot do stops the application
 * instead, for the next try to repeat, because passing over it would lose records that are good.
 *
 * <p>An own producer for {@code rejected} in here would break exactly-once; the record stays in its topic.
 */
public final class FailureHandler
        implements DeserializationExceptionHandler, ProcessingExceptionHandler, ProductionExceptionHandler {
    private static final Logger LOG = Logger.getLogger(FailureHandler.class);

    private Failures failures = operator -> {};

    /** Made by Kafka Streams. */
    public FailureHandler() {}

    @Override
    public void configure(Map<String, ?> configs) {
        if (configs.get(Failures.KEY) instanceof Failures given) {
            failures = given;
        }
    }

    @Override
    public ProcessingExceptionHandler.ProcessingHandlerResponse handle(
            ErrorHandlerContext context, Record<?, ?> record, Exception exception) {
        if (exception instanceof KafkaException) {
            return ProcessingExceptionHandler.ProcessingHandlerResponse.FAIL;
        }
        passOver(context, exception);
        return ProcessingExceptionHandler.ProcessingHandlerResponse.CONTINUE;
    }

    @Override
    public DeserializationExceptionHandler.DeserializationHandlerResponse handle(
            ErrorHandlerContext context, ConsumerRecord<byte[], byte[]> record, Exception exception) {
        passOver(context, exception);
        return DeserializationExceptionHandler.DeserializationHandlerResponse.CONTINUE;
    }

    @Override
    public ProductionExceptionHandler.ProductionExceptionHandlerResponse handle(
            ErrorHandlerContext context, ProducerRecord<byte[], byte[]> record, Exception exception) {
        if (exception instanceof RecordTooLargeException) {
            passOver(context, exception);
            return ProductionExceptionHandler.ProductionExceptionHandlerResponse.CONTINUE;
        }
        return ProductionExceptionHandler.ProductionExceptionHandlerResponse.FAIL;
    }

    private void passOver(ErrorHandlerContext context, Exception exception) {
        failures.failed(context.processorNodeId());
        LOG.errorf(
                exception,
                "Operator %s failed on %s-%d:%d. The record is passed over and stays in its topic.",
                context.processorNodeId(),
                context.topic(),
                context.partition(),
                context.offset());
    }
}
