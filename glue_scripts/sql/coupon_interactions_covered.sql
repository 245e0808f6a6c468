    SELECT bought.user_id, scope.coupon_id, bought."timestamp"
    FROM curated_interactions AS bought
    INNER JOIN curated_coupon_scope AS scope ON scope.value = ${attribute}
    WHERE bought.event_type = 'purchase' AND scope.attribute = '${name}'
