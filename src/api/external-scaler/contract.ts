import { fromJSON } from '@grpc/proto-loader'
import type { handleServerStreamingCall, handleUnaryCall, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js'

export interface ScaledObjectRef { readonly name: string, readonly namespace: string, readonly scalerMetadata: Readonly<Record<string, string>> }
export interface GetMetricsRequest { readonly scaledObjectRef: ScaledObjectRef | null, readonly metricName: string }
export interface IsActiveResponse { readonly result: boolean }
/** KEDA takes the float if it is above 0, and the integer otherwise; older versions know the integer alone. */
export interface MetricSpec { readonly metricName: string, readonly targetSize: number, readonly targetSizeFloat: number }
export interface GetMetricSpecResponse { readonly metricSpecs: readonly MetricSpec[] }
export interface MetricValue { readonly metricName: string, readonly metricValue: number, readonly metricValueFloat: number }
export interface GetMetricsResponse { readonly metricValues: readonly MetricValue[] }

export interface ExternalScalerHandlers extends UntypedServiceImplementation {
  IsActive: handleUnaryCall<ScaledObjectRef, IsActiveResponse>
  GetMetricSpec: handleUnaryCall<ScaledObjectRef, GetMetricSpecResponse>
  GetMetrics: handleUnaryCall<GetMetricsRequest, GetMetricsResponse>
  StreamIsActive: handleServerStreamingCall<ScaledObjectRef, IsActiveResponse>
  StreamMetricSpec: handleServerStreamingCall<ScaledObjectRef, GetMetricSpecResponse>
}

const unary = (requestType: string, responseType: string) => ({ requestType, responseType })
const stream = (requestType: string, responseType: string) => ({ requestType, responseType, responseStream: true })

/** KEDA's externalscaler.proto as a descriptor, so that no file has to lie beside the compiled program. */
const descriptor = {
  options: { syntax: 'proto3' },
  nested: {
    externalscaler: {
      nested: {
        ExternalScaler: {
          methods: {
            IsActive: unary('ScaledObjectRef', 'IsActiveResponse'),
            StreamIsActive: stream('ScaledObjectRef', 'IsActiveResponse'),
            GetMetricSpec: unary('ScaledObjectRef', 'GetMetricSpecResponse'),
            GetMetrics: unary('GetMetricsRequest', 'GetMetricsResponse'),
            StreamMetricSpec: stream('ScaledObjectRef', 'GetMetricSpecResponse')
          }
        },
        ScaledObjectRef: { fields: { name: { type: 'string', id: 1 }, namespace: { type: 'string', id: 2 }, scalerMetadata: { keyType: 'string', type: 'string', id: 3 } } },
        IsActiveResponse: { fields: { result: { type: 'bool', id: 1 } } },
        GetMetricSpecResponse: { fields: { metricSpecs: { rule: 'repeated', type: 'MetricSpec', id: 1 } } },
        MetricSpec: { fields: { metricName: { type: 'string', id: 1 }, targetSize: { type: 'int64', id: 2 }, targetSizeFloat: { type: 'double', id: 3 } } },
        GetMetricsRequest: { fields: { scaledObjectRef: { type: 'ScaledObjectRef', id: 1 }, metricName: { type: 'string', id: 2 } } },
        GetMetricsResponse: { fields: { metricValues: { rule: 'repeated', type: 'MetricValue', id: 1 } } },
        MetricValue: { fields: { metricName: { type: 'string', id: 1 }, metricValue: { type: 'int64', id: 2 }, metricValueFloat: { type: 'double', id: 3 } } }
      }
    }
  }
}

export const externalScalerName = 'externalscaler.ExternalScaler'
export const externalScalerPackage = fromJSON(descriptor as unknown as Parameters<typeof fromJSON>[0], { defaults: true, longs: Number })
export const externalScalerService = externalScalerPackage[externalScalerName] as unknown as ServiceDefinition
