// What a person must look at. Apart from monitoring.bicep, since it watches resources that send their own logs there.

param name string
param location string
param tags object
param serviceBusId string
param topicId string
param insightsId string

@description('Who gets mail. Empty: alerts are only shown in the portal.')
param email string

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: name
  // Action groups are a global service.
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'sluice'
    enabled: true
    emailReceivers: [
      {
        name: 'operators'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

var metricActions = empty(email) ? [] : [
  {
    actionGroupId: people.id
  }
]
var queryActions = {
  actionGroups: empty(email) ? [] : [
    people.id
  ]
}

// The dead-letter functions take a message out within seconds, so that this fires only if they cannot: then nobody knows of the message.
resource deadLetters 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${name}-dead-letters-stuck'
  location: 'global'
  tags: tags
  properties: {
    description: 'A dead-letter queue is not empty: its function does not run or fails.'
    severity: 1
    enabled: true
    scopes: [
      serviceBusId
    ]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'dead letters'
          metricNamespace: 'Microsoft.ServiceBus/namespaces'
          metricName: 'DeadletteredMessages'
          dimensions: [
            {
              name: 'EntityName'
              operator: 'Include'
              values: [
                '*'
              ]
            }
          ]
          operator: 'GreaterThan'
          threshold: 0
          timeAggregation: 'Maximum'
        }
      ]
    }
    actions: metricActions
  }
}

// An event that Event Grid gave up. The sweep takes its blob all the same, minutes later; many of them mean that Admit cannot be reached.
resource undelivered 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${name}-events-undelivered'
  location: 'global'
  tags: tags
  properties: {
    description: 'Event Grid could not deliver upload events; they are in the container undelivered of the host account.'
    severity: 2
    enabled: true
    scopes: [
      topicId
    ]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'undelivered events'
          metricNamespace: 'Microsoft.EventGrid/systemTopics'
          metricName: 'DeadLetteredCount'
          operator: 'GreaterThan'
          threshold: 0
          timeAggregation: 'Total'
        }
      ]
    }
    actions: metricActions
  }
}

// Every message that was dead-lettered, in whatever queue: one call of a function <Step>DeadLetter is one such message. The metric above is
// sampled by the minute and misses what is taken out at once. host.json keeps requests out of sampling, so that none is missed here.
resource letters 'Microsoft.Insights/scheduledQueryRules@2022-06-15' = {
  name: '${name}-dead-letters'
  location: location
  tags: tags
  properties: {
    displayName: 'Sluice: messages were dead-lettered'
    description: 'A step gave up on a message. The run shows which and why; an operator resumes it.'
    severity: 1
    enabled: true
    scopes: [
      insightsId
    ]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT5M'
    criteria: {
      allOf: [
        {
          query: 'requests | where name endswith "DeadLetter"'
          timeAggregation: 'Count'
          dimensions: [
            {
              name: 'name'
              operator: 'Include'
              values: [
                '*'
              ]
            }
          ]
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    // A new component may not have the table yet.
    skipQueryValidation: true
    autoMitigate: false
    actions: queryActions
  }
}

// A failed invocation is tried again, so that one alone is no news. HTTP answers below 500 are the caller's doing, not a failure; a function
// without HTTP has the result code 0.
resource failures 'Microsoft.Insights/scheduledQueryRules@2022-06-15' = {
  name: '${name}-function-failures'
  location: location
  tags: tags
  properties: {
    displayName: 'Sluice: functions fail'
    description: 'Five or more invocations of a function failed within a quarter of an hour.'
    severity: 2
    enabled: true
    scopes: [
      insightsId
    ]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      allOf: [
        {
          query: 'requests | where success == false | where toint(resultCode) == 0 or toint(resultCode) >= 500'
          timeAggregation: 'Count'
          dimensions: [
            {
              name: 'name'
              operator: 'Include'
              values: [
                '*'
              ]
            }
          ]
          operator: 'GreaterThanOrEqual'
          threshold: 5
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    skipQueryValidation: true
    autoMitigate: true
    actions: queryActions
  }
}
