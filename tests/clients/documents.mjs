// What the clients ask the shop, and what it answers.

export const receipt = /* GraphQL */ `
  query Receipt($order: ID!) {
    order(id: $order) {
      id
      displayTotal
      payment {
        status
        amount
      }
    }
  }
`;

export const paid = { status: 'SUCCEEDED', amount: 2440 };
export const order = { id: '1571', displayTotal: '24.40 EUR' };

/** This order was paid with a voucher, which the schema does not know: `payment` fails alone. */
export const voucher = { order: '1042' };

export const deferred = /* GraphQL */ `
  query Deferred($order: ID!) {
    order(id: $order) {
      id
      displayTotal
      ...Money @defer(label: "money")
    }
  }

  fragment Money on Order {
    payment {
      status
      amount
    }
  }
`;

/** What is deferred has no request of its own: there is nothing to wait for. */
export const deferredInVain = /* GraphQL */ `
  query DeferredInVain($order: ID!) {
    order(id: $order) {
      id
      ... @defer {
        displayTotal
      }
    }
  }
`;

/** A fragment for each of several orders, and one that adds to an object that has come. */
export const deferredOften = /* GraphQL */ `
  query DeferredOften {
    user(id: "1") {
      id
      address {
        city
      }
      ... @defer {
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
      orders(first: 2) {
        id
        ... @defer {
          payment {
            amount
          }
        }
      }
    }
  }
`;

export const oftenFirst = {
  user: { id: '1', address: { city: 'Dublin' }, orders: [{ id: '1600' }, { id: '1571' }] },
};

export const oftenLast = {
  user: {
    id: '1',
    address: { city: 'Dublin', country: 'IE' },
    shipped: [{ id: '1571', payment: { amount: 2440 } }],
    orders: [
      { id: '1600', payment: null },
      { id: '1571', payment: { amount: 2440 } },
    ],
  },
};

export const streamed = /* GraphQL */ `
  query Streamed {
    user(id: "1") {
      id
      orders(first: 3) @stream(initialCount: 1) {
        id
      }
    }
  }
`;

/** To who has no token, the part is lost: what fails in it may not be null. */
export const lost = /* GraphQL */ `
  query Lost {
    user(id: "1") {
      id
    }
    ...Told @defer
  }

  fragment Told on Query {
    notifications {
      id
    }
  }
`;

export const updateUser = /* GraphQL */ `
  mutation UpdateUser($input: UpdateUser!) {
    updateUser(input: $input) {
      id
      phone
    }
  }
`;

export const phone = /* GraphQL */ `
  query Phone {
    me {
      id
      phone
    }
  }
`;

export const notifications = /* GraphQL */ `
  subscription Notifications {
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

/** What the user 1 is told, over and over. */
export const told = [
  { id: 'ntf_0190', kind: 'ORDER_SHIPPED', order: { id: '1533', displayTotal: '226.50 EUR' } },
  { id: 'ntf_0220', kind: 'ORDER_SHIPPED', order },
];

/** Asks for a field that there is not. */
export const invalid = /* GraphQL */ `
  query Invalid {
    order(id: "1571") {
      totl
    }
  }
`;
