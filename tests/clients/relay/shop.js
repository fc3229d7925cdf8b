// What Relay's compiler reads; nobody runs this. A name begins with the file's, as Relay wants it.

import { graphql } from 'relay-runtime';

graphql`
  query shopReceiptQuery($order: ID!) {
    order(id: $order) {
      id
      displayTotal
      payment @catch(to: RESULT) {
        status
        amount
      }
    }
  }
`;

graphql`
  query shopDeferredQuery($order: ID!) {
    order(id: $order) {
      id
      displayTotal
      ...shop_money @defer(label: "money")
    }
  }
`;

graphql`
  query shopDeferredInVainQuery($order: ID!) {
    order(id: $order) {
      ...shop_head @defer(label: "head")
    }
  }
`;

graphql`
  fragment shop_head on Order {
    id
    displayTotal
  }
`;

graphql`
  fragment shop_money on Order {
    payment @catch(to: RESULT) {
      status
      amount
    }
  }
`;

graphql`
  query shopDeferredOftenQuery {
    user(id: "1") {
      id
      address {
        city
      }
      ...shop_more @defer(label: "more")
      orders(first: 2) {
        id
        ...shop_money @defer(label: "money")
      }
    }
  }
`;

graphql`
  fragment shop_more on User {
    address {
      country
    }
    shipped: orders(status: SHIPPED, first: 1) {
      id
      payment {
        amount
      }
    }
  }
`;

graphql`
  query shopStreamedQuery {
    user(id: "1") {
      ...shop_orders
    }
  }
`;

graphql`
  fragment shop_orders on User {
    orders(first: 3) @stream(label: "orders", initialCount: 1) {
      id
    }
  }
`;

graphql`
  query shopLostQuery {
    user(id: "1") {
      id
    }
    ...shop_told @defer(label: "told")
  }
`;

graphql`
  fragment shop_told on Query {
    notifications {
      id
    }
  }
`;

graphql`
  query shopPhoneQuery {
    me @catch(to: RESULT) {
      id
      phone
    }
  }
`;

graphql`
  mutation shopUpdateUserMutation($input: UpdateUser!) {
    updateUser(input: $input) {
      id
      phone
    }
  }
`;

graphql`
  subscription shopNotificationsSubscription {
    notifications {
      id
      kind
      order {
        id
        displayTotal
      }
    }
  }
`;
